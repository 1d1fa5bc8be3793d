//! `wego profile`: which node to talk to. Needs no node.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use serde::Serialize;

use crate::{
    args::{DryRun, Mode, Yes},
    context::{Assent, Context, Format},
    error::{ExitCode, Failure, Outcome},
    output::Table,
    profile::{PROFILE_FILE, Profile, checked_name, profiles_dir},
};

/// Choose which node to talk to
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego profile add ./operator            copy what `wego-node init` wrote, named after the city
  wego profile add ./operator --name seoul-admin
  wego profile use kr-seoul
  wego --profile ./operator status       use a folder without copying it")]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List the profiles; the current one has a star
    List,
    /// Copy a profile folder, as `wego-node init` wrote it
    Add(Add),
    /// Make a profile the current one
    Use(Use),
    /// Delete a profile, its private key included
    Remove(Remove),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// Folder with profile.toml, cert.pem and key.pem
    folder: PathBuf,
    /// Name of the copy [default: the city's handle]
    #[arg(long)]
    name: Option<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

#[derive(Debug, clap::Args)]
struct Use {
    /// Name of the profile
    name: String,
    #[command(flatten)]
    dry_run: DryRun,
}

#[derive(Debug, clap::Args)]
struct Remove {
    /// Name of the profile
    name: String,
    #[command(flatten)]
    yes: Yes,
    #[command(flatten)]
    dry_run: DryRun,
}

#[derive(Serialize)]
struct Listing {
    profiles: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    current: bool,
    handle: Option<String>,
    address: Option<String>,
    problem: Option<String>,
}

pub(crate) async fn run(args: Args, cx: &mut Context) -> Outcome {
    match args.command {
        Command::List => list(cx),
        Command::Add(args) => add(&args, cx),
        Command::Use(args) => choose(&args, cx),
        Command::Remove(args) => remove(&args, cx).await,
    }
}

fn list(cx: &mut Context) -> Outcome {
    let current = Profile::current(&cx.stdio)?;
    let dir = profiles_dir(&cx.stdio)?;
    let profiles: Vec<Row> = Profile::names(&cx.stdio)?
        .into_iter()
        .map(|name| {
            let opened = Profile::open(&dir.join(&name));
            Row {
                current: current.as_deref() == Some(&name),
                handle: opened.as_ref().ok().map(|profile| profile.handle.clone()),
                address: opened.as_ref().ok().map(|profile| profile.address.clone()),
                problem: opened.err().map(|failure| failure.to_string()),
                name,
            }
        })
        .collect();
    match cx.format {
        Format::Json => cx.print_json(&Listing { profiles })?,
        Format::Human if profiles.is_empty() => {
            cx.say("no profiles yet: `wego profile add DIR` copies the folder that `wego-node init` wrote");
        }
        Format::Human => {
            let mut table = Table::new(&["", "NAME", "CITY", "ADDRESS", "PROBLEM"]);
            for row in profiles {
                let star = if row.current { "*" } else { "" };
                let or_empty = |text: Option<String>| text.unwrap_or_default();
                table.row([
                    star,
                    &row.name,
                    &or_empty(row.handle),
                    &or_empty(row.address),
                    &or_empty(row.problem),
                ]);
            }
            cx.print_table(table)?;
        }
    }
    Ok(ExitCode::Ok)
}

fn add(args: &Add, cx: &mut Context) -> Outcome {
    let profile = Profile::open(&args.folder)?;
    let name = checked_name(args.name.as_deref().unwrap_or(&profile.handle))?.to_owned();
    let target = profiles_dir(&cx.stdio)?.join(&name);
    if target.exists() {
        return Err(Failure::conflict(
            format!("there is a profile {name} already"),
            format!("choose another with --name, or delete it first: wego profile remove {name}"),
        ));
    }
    if args.dry_run.mode() == Mode::DryRun {
        cx.say(&format!("would copy {} to {}", args.folder.display(), target.display()));
        return Ok(ExitCode::Ok);
    }
    let first = Profile::names(&cx.stdio)?.is_empty();
    make_private_folder(&target)?;
    let [certificate, key] = &profile.files;
    for file in [certificate, key, &args.folder.join(PROFILE_FILE)] {
        let to = target.join(file.file_name().unwrap_or_default());
        // A copy keeps the file's mode, and the key's was checked.
        fs::copy(file, &to).map_err(|error| Failure::of_file("copy to", &to, error))?;
    }
    if first {
        Profile::choose(&cx.stdio, Some(&name))?;
    }
    cx.say(&format!("profile {name} added: {} of {}", profile.address, profile.handle));
    cx.say(&format!("the private key in {} is not needed any more", args.folder.display()));
    Ok(ExitCode::Ok)
}

fn choose(args: &Use, cx: &mut Context) -> Outcome {
    let profile = existing(&args.name, cx)?;
    if args.dry_run.mode() == Mode::DryRun {
        cx.say(&format!("would make {} the current profile: {}", args.name, profile.address));
        return Ok(ExitCode::Ok);
    }
    Profile::choose(&cx.stdio, Some(&args.name))?;
    cx.say(&format!("commands now go to {} of {}", profile.address, profile.handle));
    Ok(ExitCode::Ok)
}

async fn remove(args: &Remove, cx: &mut Context) -> Outcome {
    let dir = profiles_dir(&cx.stdio)?.join(checked_name(&args.name)?);
    if !dir.join(PROFILE_FILE).is_file() {
        return Err(unknown(&args.name));
    }
    if args.dry_run.mode() == Mode::DryRun {
        cx.say(&format!("would delete {} and the private key in it", dir.display()));
        return Ok(ExitCode::Ok);
    }
    let plan = format!("This deletes {} and the private key in it.", dir.display());
    cx.confirm(&plan, Assent::from_flag(args.yes.yes)).await?;
    let was_current = Profile::current(&cx.stdio)?.as_deref() == Some(args.name.as_str());
    fs::remove_dir_all(&dir).map_err(|error| Failure::of_file("delete", &dir, error))?;
    if was_current {
        Profile::choose(&cx.stdio, None)?;
    }
    cx.say(&format!("profile {} deleted", args.name));
    Ok(ExitCode::Ok)
}

fn existing(name: &str, cx: &Context) -> Result<Profile, Failure> {
    let dir = profiles_dir(&cx.stdio)?.join(checked_name(name)?);
    if dir.join(PROFILE_FILE).is_file() { Profile::open(&dir) } else { Err(unknown(name)) }
}

fn unknown(name: &str) -> Failure {
    Failure::not_found(format!("there is no profile {name}"), "`wego profile list` shows the profiles")
}

fn make_private_folder(path: &Path) -> Result<(), Failure> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path).map_err(|error| Failure::of_file("make", path, error))
}
