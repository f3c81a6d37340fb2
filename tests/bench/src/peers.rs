//! The same steps written by the book in Node and in Python, and the web form in Express: installed, seeded and made ready
//! to be measured.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use crate::Error;
use crate::aws::{Cloud, Item};
use crate::browser::Browser;
use crate::forms::{ADDRESS, PAGE, SUBMIT};
use crate::measure::{Event, Kind, Subject, Wanted};
use crate::sandbox::Function;
use crate::webhook::{self, AUTH_TOKEN, BASE_URL, DIALLED};

const CALL_SID: &str = "CA00000000000000000000000000000001";
const SECRET: &str = "twilio";

/// What could be installed.
#[derive(Debug, Default)]
pub struct Peers {
    /// Steps of the hotline.
    pub steps: Vec<Subject>,
    /// The web form's pages.
    pub forms: Vec<Subject>,
    /// A note for each peer that could not be installed.
    pub notes: Vec<String>,
}

/// The peers that could be installed.
#[must_use]
pub fn install(sources: &Path, work: &Path, logs: &Path) -> Peers {
    let (mut subjects, mut forms, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    match node(&sources.join("node"), &work.join("node")) {
        Ok(program) => {
            subjects.extend(steps("Node", &program, ".mjs", &work.join("node"), logs));
            forms.extend(express(&program, &work.join("node"), logs));
        }
        Err(why) => notes.push(format!("Node is left out: {why}")),
    }
    match python(&sources.join("python"), &work.join("python")) {
        Ok(program) => subjects.extend(steps("Python", &program, ".py", &work.join("python"), logs)),
        Err(why) => notes.push(format!("Python is left out: {why}")),
    }
    Peers { steps: subjects, forms, notes }
}

/// The web form's page, and the form sent.
fn express(program: &Path, folder: &Path, logs: &Path) -> [Subject; 2] {
    let here = env::current_dir().unwrap_or_default();
    let (program, folder) = (here.join(program), here.join(folder));
    let fields = [
        ("id", "3f0e8c1a-5d0b-4c61-9c55-2f3f6d1f7a10"),
        ("kind", "opt-out"),
        ("name", ""),
        ("email", "ana.bench@example.com"),
        ("phone", ""),
        ("details", ""),
    ];
    let fields = fields.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let browser = Browser::default();
    let events = [(PAGE, browser.open(ADDRESS)), (SUBMIT, browser.send("/forms/1/requests", &fields))];
    let tables = ["DIRECTORY", "ACCOUNTS", "REQUESTS", "SESSIONS"];
    let tables = tables.map(|table| (format!("TABLE_{table}"), table.to_lowercase()));
    events.map(|(step, event)| Subject {
        name: format!("Express {step}"),
        kind: Kind::Peer { language: "Node".to_owned(), step: step.to_owned() },
        function: Function {
            name: format!("express-{step}"),
            command: vec![program.clone(), folder.join("bootstrap.mjs")],
            folder: folder.clone(),
            env: [("PUBLIC_BASE_URL".to_owned(), BASE_URL.to_owned())].into_iter().chain(tables.clone()).collect(),
            handler: "form-app.mjs".to_owned(),
            log: logs.join(format!("express-{step}.log")),
        },
        event: Event::Same(event),
        before: cloud(),
        wanted: Wanted::Success,
    })
}

fn node(source: &Path, work: &Path) -> Result<PathBuf, Error> {
    let node = find("node")?;
    let npm = find("npm")?;
    let changed = copy(source, work, "package-lock.json")?;
    if changed || !work.join("node_modules/.package-lock.json").exists() {
        run(Command::new(npm).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]).arg(work))?;
    }
    Ok(node)
}

fn python(source: &Path, work: &Path) -> Result<PathBuf, Error> {
    let python = find("python3")?;
    let changed = copy(source, work, "requirements.txt")?;
    let program = work.join("venv/bin/python");
    let done = work.join("venv/done");
    if changed || !done.exists() {
        run(Command::new(python).args(["-m", "venv", "--clear"]).arg(work.join("venv")))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
        run(Command::new(&program).args(install).arg(work.join("requirements.txt")))?;
        fs::write(done, "")?;
    }
    // Compiled beforehand, as in a deployed package.
    run(Command::new(&program).args(["-m", "compileall", "-q"]).arg(work).args(["-x", "venv"]))?;
    Ok(program)
}

fn find(program: &str) -> Result<PathBuf, Error> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file());
    found.ok_or_else(|| Error::say(program, "is not on this machine", &"install it to have this peer measured"))
}

/// Copies the sources; true where the list of dependencies is not the one that was installed.
fn copy(source: &Path, work: &Path, dependencies: &str) -> Result<bool, Error> {
    fs::create_dir_all(work)?;
    let changed = fs::read(source.join(dependencies))? != fs::read(work.join(dependencies)).unwrap_or_default();
    for entry in fs::read_dir(source)? {
        let file = entry?.path();
        if let (true, Some(name)) = (file.is_file(), file.file_name()) {
            fs::copy(&file, work.join(name))?;
        }
    }
    Ok(changed)
}

fn run(command: &mut Command) -> Result<(), Error> {
    let done = command.stdin(Stdio::null()).output()?;
    if done.status.success() {
        return Ok(());
    }
    let program = Path::new(command.get_program()).file_name().and_then(OsStr::to_str).unwrap_or_default().to_owned();
    Err(Error::say(&program, "fails", &String::from_utf8_lossy(&done.stderr).trim()))
}

fn steps(language: &str, program: &Path, extension: &str, folder: &Path, logs: &Path) -> [Subject; 2] {
    // An installed virtual environment is named by its own path, which must not be resolved to the system's program.
    let here = env::current_dir().unwrap_or_default();
    let (program, folder) = (here.join(program), here.join(folder));
    [("answer", None), ("service-code", Some("1"))].map(|(step, digits)| {
        let mut parameters = webhook::parameters(CALL_SID, if digits.is_some() { "in-progress" } else { "ringing" });
        parameters.extend(digits.map(|digits| ("Digits".to_owned(), digits.to_owned())));
        let handler = if extension == ".py" { step.replace('-', "_") } else { format!("{step}{extension}") };
        let env = [
            ("PUBLIC_BASE_URL", BASE_URL),
            ("TWILIO_SECRET", SECRET),
            ("TABLE_DIRECTORY", "directory"),
            ("TABLE_ACCOUNTS", "accounts"),
        ];
        Subject {
            name: format!("{language} {step}"),
            kind: Kind::Peer { language: language.to_owned(), step: format!("voice-{step}") },
            function: Function {
                name: format!("{}-{step}", language.to_lowercase()),
                command: vec![program.clone(), folder.join(format!("bootstrap{extension}"))],
                folder: folder.clone(),
                env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
                handler,
                log: logs.join(format!("{}-{step}.log", language.to_lowercase())),
            },
            event: Event::Same(webhook::post(&format!("{BASE_URL}/voice/{step}"), &parameters)),
            before: cloud(),
            wanted: Wanted::Success,
        }
    })
}

/// What the peers find: one number, one service code and its settings.
fn cloud() -> Cloud {
    let mut cloud = Cloud::default();
    cloud.secrets.insert(SECRET.to_owned(), json!({ "auth_token": AUTH_TOKEN }).to_string());
    let mut put = |table: &str, pk: &str, sk: &str, more: serde_json::Value| {
        let mut item: Item = more.as_object().cloned().unwrap_or_default();
        item.insert("pk".to_owned(), json!({ "S": pk }));
        if !sk.is_empty() {
            item.insert("sk".to_owned(), json!({ "S": sk }));
        }
        cloud.put(table, item);
    };
    put("directory", &format!("number#{DIALLED}"), "", json!({}));
    put("directory", "code#1", "", json!({ "tenant": { "S": "t-1" } }));
    let menu = [
        ("1", "To opt out of the sale or sharing of your information"),
        ("2", "To have it deleted"),
        ("3", "To learn what we have"),
        ("4", "To have it corrected"),
        ("5", "To limit its use"),
    ];
    let menu = menu.map(|(key, text)| json!({ "M": { "key": { "S": key }, "text": { "S": text } } }));
    let kinds = [
        ("opt-out", "Do not sell or share my personal information"),
        ("delete", "Delete my personal information"),
        ("know-categories", "Tell me what kinds of information you have about me"),
        ("know-specific", "Send me my personal information"),
        ("correct", "Correct my personal information"),
        ("limit", "Limit the use of my sensitive personal information"),
    ];
    let kinds = kinds.map(|(key, text)| json!({ "M": { "key": { "S": key }, "text": { "S": text } } }));
    let settings = json!({
        "active": { "BOOL": true },
        "name": { "S": "Blue Harbor Outfitters" },
        "kinds": { "L": kinds },
        "greeting": { "S": "You have reached the privacy line of Blue Harbor Outfitters." },
        "menu": { "L": menu },
    });
    put("accounts", "t-1", "code#1", settings);
    cloud
}
