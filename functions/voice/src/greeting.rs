//! `GET /voice/greeting/{file}`: the audio of a greeting, found by the hash of its content and by nothing else.

use domain::service_code::is_content_address;
use platform::edge::{Audio, AudioRequest};
use platform::{App, Error};

/// Reads the file, or the range that was asked for. The name is the content, so it may be cached for ever.
pub async fn handle(app: &App, request: AudioRequest) -> Result<Audio, Error> {
    if !is_content_address(&request.file) {
        return Err(Error::NotFound);
    }
    let audio = app.blobs.greeting(&request.file, request.range.as_deref()).await?;
    let content_type = match request.file.rsplit_once('.') {
        Some((_, "wav")) => "audio/wav",
        _ => "audio/mpeg",
    };
    Ok(Audio {
        bytes: audio.bytes,
        content_type,
        content_range: audio.content_range,
        etag: format!("\"{}\"", request.file),
    })
}
