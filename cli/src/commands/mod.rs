//! The commands, one file for each noun: its arguments, whose comments are the help, and how it runs.

pub(crate) mod adoption;
pub(crate) mod audit;
pub(crate) mod backup;
pub(crate) mod completion;
pub(crate) mod dataset;
pub(crate) mod erase;
pub(crate) mod exit_codes;
pub(crate) mod fork;
pub(crate) mod import;
pub(crate) mod invite;
pub(crate) mod key;
pub(crate) mod man;
pub(crate) mod member;
pub(crate) mod peer;
pub(crate) mod practice;
pub(crate) mod profile;
pub(crate) mod record;
pub(crate) mod roster;
pub(crate) mod search;
pub(crate) mod status;

use std::{fs, io::Write as _, path::Path};

use crate::{
    args::Command,
    context::Context,
    error::{Failure, Outcome},
};

/// Runs the command that was parsed.
pub(crate) async fn run(command: Command, cx: &mut Context) -> Outcome {
    match command {
        Command::Practice(args) => practice::run(args, cx).await,
        Command::Adoption(args) => adoption::run(args, cx).await,
        Command::Dataset(args) => dataset::run(args, cx).await,
        Command::Search(args) => search::run(args, cx).await,
        Command::Record(args) => record::run(args, cx).await,
        Command::Import(args) => import::run(args, cx).await,
        Command::Member(args) => member::run(args, cx).await,
        Command::Fork(args) => fork::run(args, cx).await,
        Command::Backup(args) => backup::run(args, cx).await,
        Command::Erase(args) => erase::run(args, cx).await,
        Command::Key(args) => key::run(args, cx).await,
        Command::Invite(args) => invite::run(args, cx).await,
        Command::Peer(args) => peer::run(args, cx).await,
        Command::Status(args) => status::run(args, cx).await,
        Command::Audit(args) => audit::run(args, cx).await,
        Command::Roster(args) => roster::run(args, cx).await,
        Command::Profile(args) => profile::run(args, cx).await,
        Command::Completion(args) => completion::run(&args, cx),
        Command::Man(args) => man::run(&args, cx),
        Command::ExitCodes(args) => exit_codes::run(&args, cx),
    }
}

/// Writes a file whole or not at all: beside it first, then renamed over it.
pub(crate) fn replace_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let fail = |error| Failure::of_file("write", path, error);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(fail)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = folder.join(format!(".{name}.{}.new", std::process::id()));
    let mut file = fs::File::create(&beside).map_err(fail)?;
    let written =
        file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&beside, path));
    written.map_err(|error| {
        // What is left beside the file is of no use to anybody.
        let _ = fs::remove_file(&beside);
        fail(error)
    })
}
