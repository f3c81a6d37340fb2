//! The text telephone for people: `phone call` to play the caller, `phone demo` to watch a call.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that talks to a person")]

use std::collections::VecDeque;
use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use phone::{CallOptions, Caller, Do, Ended, Line, Prompt, Transcript, WaitingFor};

/// How wide what is said is set.
const WIDTH: usize = 76;

/// Call the hotline from the terminal.
#[derive(Parser)]
struct Options {
    /// What `make up` wrote about the running hotline
    #[arg(long, global = true, env = "OPTLINE_STACK", default_value = "target/local/stack.json", value_name = "FILE")]
    stack: PathBuf,
    /// Where to write the call's SID, for whoever wants to see what came of it
    #[arg(long, global = true, value_name = "FILE")]
    call_file: Option<PathBuf>,
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Place a call and play the caller
    Call {
        /// The number to call [default: the shared one]
        #[arg(long, value_name = "NUMBER")]
        to: Option<String>,
        /// The number to call from; `withheld` for a caller who hides theirs
        #[arg(long, value_name = "NUMBER", default_value = "+12135550142")]
        from: String,
    },
    /// Watch a caller opt out of the sale of their information
    Demo,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let options = Options::parse();
    let line = match Line::open(&options.stack) {
        Ok(line) => line,
        Err(why) => {
            eprintln!("phone: {why}.");
            return ExitCode::FAILURE;
        }
    };
    match options.what {
        What::Call { to, from } => {
            let from = if from == "withheld" { CallOptions::WITHHELD.to_owned() } else { from };
            call(&line, CallOptions { to, ..CallOptions::from(from) }, options.call_file.as_deref()).await
        }
        What::Demo => demo(&line, options.call_file.as_deref()).await,
    }
}

// ---- a person calls

async fn call(line: &Line, options: CallOptions, call_file: Option<&Path>) -> ExitCode {
    println!("You are calling {}.", options.to.as_ref().unwrap_or(&line.stack().twilio.number));
    for tenant in &line.stack().tenants {
        for code in &tenant.service_codes {
            println!("  service code {:<8} {} ({})", code.code, code.name, tenant.name);
        }
    }
    help();
    let mut person = Aloud(Keyboard { echo: !io::stdin().is_terminal() });
    let transcript = line.dial(options).talk(&mut person).await;
    finish(&transcript, call_file);
    match transcript.ended {
        Ended::Loop | Ended::Error { .. } => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}

fn help() {
    println!();
    println!("  keys, then Enter       press them: 1, 42#, *, 0");
    println!("  Enter alone            say and press nothing");
    println!("  speak some words       after the beep: say them; `speak 90 some words` takes 90 seconds");
    println!("  hang up                end the call");
    println!("  help                   read this again");
    println!();
}

/// A caller at the keyboard.
struct Keyboard {
    /// Input from a file is shown as if it had been typed.
    echo: bool,
}

impl Caller for Keyboard {
    fn hear(&mut self, prompt: &Prompt) -> Do {
        let question = match &prompt.waiting_for {
            WaitingFor::Nothing => return Do::Silence,
            WaitingFor::Digits { max: Some(1), .. } => "one key".to_owned(),
            WaitingFor::Digits { max: Some(max), finish_on } => format!("up to {max} keys{}", ended_by(finish_on)),
            WaitingFor::Digits { max: None, finish_on } => format!("keys{}", ended_by(finish_on)),
            WaitingFor::Recording { max_secs, .. } => format!("*beep* speak, at most {max_secs} s"),
        };
        loop {
            print!("  [{question}] > ");
            let _ = io::stdout().flush();
            let mut typed = String::new();
            let read = io::stdin().lock().read_line(&mut typed);
            if self.echo {
                println!("{}", typed.trim_end());
            }
            if !matches!(read, Ok(1..)) {
                println!("(no more input: hanging up)");
                return Do::HangUp;
            }
            match understand(typed.trim()) {
                Some(done) => return done,
                None if typed.trim() == "help" => help(),
                None => println!("  Not understood. Keys are 0 to 9, * and #; `help` lists what else there is."),
            }
        }
    }
}

fn ended_by(finish_on: &str) -> String {
    if finish_on.is_empty() { String::new() } else { format!(", then {finish_on}") }
}

/// What somebody means who types this.
fn understand(typed: &str) -> Option<Do> {
    let keys: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
    let words = typed.strip_prefix("speak ").map(str::trim);
    match (typed, words) {
        ("", _) => Some(Do::Silence),
        ("hang up" | "hangup", _) => Some(Do::HangUp),
        (_, Some(words)) => {
            let (first, rest) = words.split_once(' ').unwrap_or((words, ""));
            Some(match first.parse() {
                Ok(seconds) if !rest.is_empty() => Do::Speak(phone::Speech { seconds, ..phone::Speech::of(rest) }),
                _ => Do::speak(words),
            })
        }
        _ if keys.chars().all(|key| key.is_ascii_digit() || matches!(key, '*' | '#')) => Some(Do::Press(keys)),
        _ => None,
    }
}

// ---- the demonstration

/// Opts out on the shared number with the first service code, from the number called from.
async fn demo(line: &Line, call_file: Option<&Path>) -> ExitCode {
    let Some(code) = line.stack().first_service_code() else {
        eprintln!("phone: no business has a service code yet. `make up` creates some.");
        return ExitCode::FAILURE;
    };
    println!("A caller opts out of the sale of their information: {}, service code {}.", code.name, code.code);
    println!();
    let keys = ["1".to_owned(), format!("{}#", code.code), "1".to_owned(), "1".to_owned(), "1".to_owned()];
    let transcript = line.dial(CallOptions::default()).talk(&mut Aloud(Demo(keys.into()))).await;
    finish(&transcript, call_file);
    match transcript.reference_number() {
        Some(number) if transcript.ended == Ended::HungUpByUs && transcript.violations.is_empty() => {
            println!("Reference number: {number}");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("phone: the call did not end with a reference number. Everything that happened:\n{transcript}");
            ExitCode::FAILURE
        }
    }
}

/// Presses English, the service code, opt out, this number, submit.
struct Demo(VecDeque<String>);

impl Caller for Demo {
    fn hear(&mut self, prompt: &Prompt) -> Do {
        let done = match prompt.waiting_for {
            WaitingFor::Digits { .. } => self.0.pop_front().map_or(Do::Silence, Do::Press),
            WaitingFor::Recording { .. } | WaitingFor::Nothing => return Do::Silence,
        };
        if let Do::Press(keys) = &done {
            println!("  > {keys}");
        }
        done
    }
}

// ---- what both show

/// Prints all that a caller hears.
struct Aloud<C>(C);

impl<C: Caller> Caller for Aloud<C> {
    fn hear(&mut self, prompt: &Prompt) -> Do {
        for said in &prompt.spoken {
            for (at, row) in wrapped(said).iter().enumerate() {
                println!("{} {row}", if at == 0 { "Hotline:" } else { "        " });
            }
        }
        for url in &prompt.played {
            println!("Hotline: (plays {url})");
        }
        self.0.hear(prompt)
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match rows.last_mut() {
            Some(row) if row.chars().count() + 1 + word.chars().count() <= WIDTH => {
                row.push(' ');
                row.push_str(word);
            }
            _ => rows.push(word.to_owned()),
        }
    }
    rows
}

fn finish(transcript: &Transcript, call_file: Option<&Path>) {
    println!();
    println!("{} after {} s ({}).", transcript.ended, transcript.duration.as_secs(), transcript.call_sid);
    for violation in &transcript.violations {
        println!("  ! {violation}");
    }
    if let Some(file) = call_file {
        let call = format!("{{\"call_sid\":\"{}\"}}\n", transcript.call_sid);
        if let Err(why) = std::fs::write(file, call) {
            eprintln!("phone: {} cannot be written: {why}.", file.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_is_understood_as_a_caller_means_it() {
        assert_eq!(understand(""), Some(Do::Silence));
        assert_eq!(understand("213 555 0142 #"), Some(Do::press("2135550142#")));
        assert_eq!(understand("hang up"), Some(Do::HangUp));
        assert_eq!(understand("speak my name is Kim"), Some(Do::speak("my name is Kim")));
        assert!(matches!(understand("speak 90 a long story"), Some(Do::Speak(speech)) if speech.seconds == 90));
        assert_eq!(understand("what now"), None);
    }

    #[test]
    fn long_speech_is_set_in_rows_that_fit() {
        let rows = wrapped(&"some words ".repeat(40));
        assert!(rows.len() > 4 && rows.iter().all(|row| row.len() <= WIDTH));
    }
}
