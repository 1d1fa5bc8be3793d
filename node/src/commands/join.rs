//! `wego-node join`: from the one string of an invite to a folder that is ready to run.

use std::{
    io::{self, Read as _, Write},
    path::PathBuf,
    time::Duration,
};

use serde::Serialize;
use wego_ledger::roster::History;
use wego_proto::{
    causes::with_causes,
    invite::{Invite, STRING_BYTES_MAX},
    v1::{self, MemberName},
};
use zeroize::Zeroizing;

use super::{
    Exit, Failure, environment,
    init::{self, More, Who},
};
use crate::{
    clock::now_ms,
    init::passing_identity,
    join::{self, Asked, JoinError, Newcomer, Progress, Refusal},
};

/// Join a federation with an invite: the string that `wego invite create` printed
///
/// Makes the folder of a new member as `wego-node init` does, or uses the one that is there; checks that the node which
/// the invite names has the key which the invite names, before anything is sent to it; shows it this city's member
/// card; prints six words to compare with the inviter by telephone; waits until the committee has signed; and puts the
/// roster into the folder. It may be interrupted and run again at any time. Prints the roster's path.
///
/// Run it as the user the node will run as: nobody else may read the keys.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  wego-node join wego1-... --dry-run               who invites, and is it really them?
  wego-node join wego1-... --dir /var/lib/wego-node/node --handle nl-leiden --name nl=Leiden \\
      --country NL --endpoint wego.leiden.example:7400
  wego-node join - --no-wait < invite.txt          go on; exit code 6 while the committee has not signed")]
pub(super) struct Args {
    /// The invite; - reads it from standard input, where no other user of this machine can see it
    #[arg(value_name = "STRING")]
    invite: String,
    /// Folder of the node; made when it is not there
    #[arg(long, value_name = "DIR", default_value = "/var/lib/wego-node/node")]
    dir: PathBuf,
    /// Short name in the federation, for ever: a-z, 0-9 and -, as in nl-leiden
    #[arg(long)]
    handle: Option<String>,
    /// Name in a language, as in en=Leiden; repeat it for each language
    #[arg(long = "name", value_name = "LANG=NAME", value_parser = init::name)]
    names: Vec<MemberName>,
    /// Country, ISO 3166-1, as in NL
    #[arg(long)]
    country: Option<String>,
    #[command(flatten)]
    more: More,
    /// Only check that the inviter is who the invite says; make nothing, send nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not wait for the committee: exit code 6 when it has not signed yet
    #[arg(long)]
    no_wait: bool,
    /// How often to ask while waiting, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = clap::value_parser!(u64).range(1..=3_600))]
    every: u64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What programs read.
#[derive(Serialize)]
struct Report<'a> {
    /// `authenticated`, `waiting` or `admitted`.
    state: &'static str,
    inviter: &'a str,
    invite: String,
    federation_id: Option<String>,
    federation_name: Option<&'a str>,
    words: Option<&'a str>,
    signatures: Option<u32>,
    needed: Option<u32>,
    roster_version: Option<u64>,
    roster: Option<String>,
}

pub(super) fn run(args: Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
    let invite = read(&args.invite)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let joining = Joining { invite: &invite, no_wait: args.no_wait, every: args.every, json: args.json };
    runtime.block_on(joining.run(args, out, err))
}

/// The string, from the command line or standard input.
fn read(word: &str) -> Result<Invite, Failure> {
    let mut text = Zeroizing::new(String::with_capacity(STRING_BYTES_MAX + 1));
    if word == "-" {
        io::stdin().lock().take(STRING_BYTES_MAX as u64 + 1).read_to_string(&mut text)?;
    } else {
        text.push_str(word);
    }
    Invite::parse(&text).map_err(|error| Failure::of_join(error.into()))
}

struct Joining<'a> {
    invite: &'a Invite,
    no_wait: bool,
    every: u64,
    json: bool,
}

impl Joining<'_> {
    async fn run(&self, args: Args, out: &mut dyn Write, err: &mut dyn Write) -> Result<(), Failure> {
        join::authenticate(self.invite, passing()?).await.map_err(Failure::of_join)?;
        writeln!(err, "the node at {} has the key that the invite names", self.invite.endpoint)?;
        if args.dry_run {
            writeln!(err, "nothing was made and nothing was sent: run it without --dry-run to join")?;
            return self.report(out, &self.reported("authenticated"), None);
        }
        let newcomer = folder(args, err)?;
        if let Some(roster) = newcomer.roster().map_err(Failure::of_join)? {
            return self.already(&newcomer, &roster, out, err);
        }
        let asked = self.asked(&newcomer, err).await?;
        let roster = self.admitted(&newcomer, &asked, out, err).await?;
        newcomer.take(&roster).map_err(Failure::of_join)?;
        talk_of_member(&newcomer, &asked.federation_name, err)?;
        let report = Report { words: Some(&asked.words), ..self.member(&newcomer, &roster) };
        self.report(out, &report, Some(&newcomer))
    }

    /// The folder has a roster from an earlier time.
    fn already(
        &self,
        newcomer: &Newcomer,
        roster: &History,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<(), Failure> {
        if wego_proto::invite::prefix_of(&roster.federation()) != self.invite.federation {
            return Err(Failure::of_join(JoinError::OtherFederation));
        }
        if !newcomer.is_member_in(roster).map_err(Failure::of_join)? {
            return Err(Failure::new(
                Exit::Conflict,
                format!("{} does not have this city's keys", newcomer.roster.display()),
                "move it away, then run this again",
            ));
        }
        talk_of_member(newcomer, &roster.current().content().federation_name, err)?;
        self.report(out, &self.member(newcomer, roster), Some(newcomer))
    }

    /// Asks, unless this invite was answered before.
    async fn asked(&self, newcomer: &Newcomer, err: &mut dyn Write) -> Result<Asked, Failure> {
        let asked = match newcomer.asked(&self.invite.id).map_err(Failure::of_join)? {
            Some(asked) => asked,
            None => {
                let asked = join::ask(self.invite, newcomer, now_ms()).await.map_err(Failure::of_join)?;
                newcomer.remember(&asked).map_err(Failure::of_join)?;
                asked
            }
        };
        writeln!(
            err,
            "asked to join {} as {}\n\ncall the inviter, by a number you had before; `wego invite list` must show the \
             same words there:\n  {}\n",
            asked.federation_name, newcomer.handle, asked.words
        )?;
        Ok(asked)
    }

    /// Waits for the committee.
    async fn admitted(
        &self,
        newcomer: &Newcomer,
        asked: &Asked,
        out: &mut dyn Write,
        err: &mut dyn Write,
    ) -> Result<History, Failure> {
        let mut chain = v1::RosterChain::default();
        let mut said = String::new();
        loop {
            let now = match join::progress(self.invite, newcomer, &mut chain, now_ms()).await {
                Ok(Progress::Admitted(roster)) => return Ok(*roster),
                Ok(Progress::Waiting(waiting)) if self.no_wait => {
                    return self.not_yet(newcomer, asked, waiting, out);
                }
                Ok(Progress::Waiting(waiting)) => far(&waiting),
                Err(error) if error.is_passing() && !self.no_wait => {
                    format!("{}; still trying", with_causes(&error))
                }
                Err(error) => return Err(self.given_up(newcomer, error)),
            };
            if now != said {
                writeln!(err, "{now}")?;
                // The words to compare by telephone are needed while this waits.
                err.flush()?;
                said = now;
            }
            tokio::time::sleep(Duration::from_secs(self.every)).await;
        }
    }

    fn not_yet(
        &self,
        newcomer: &Newcomer,
        asked: &Asked,
        waiting: v1::JoinWaiting,
        out: &mut dyn Write,
    ) -> Result<History, Failure> {
        let report = Report {
            federation_id: Some(asked.federation.to_string()),
            federation_name: Some(&asked.federation_name),
            words: Some(&asked.words),
            signatures: Some(waiting.signatures),
            needed: Some(waiting.needed),
            ..self.reported("waiting")
        };
        if self.json {
            self.report(out, &report, Some(newcomer))?;
        }
        let hint = "the committee must sign; run this again later, or without --no-wait to wait for it";
        Err(Failure::new(Exit::Conflict, far(&waiting), hint))
    }

    /// An inviter that has forgotten the invite is asked again the next time.
    fn given_up(&self, newcomer: &Newcomer, error: JoinError) -> Failure {
        if matches!(error, JoinError::Refused(Refusal::Unknown)) {
            newcomer.forget();
        }
        Failure::of_join(error)
    }

    fn reported(&self, state: &'static str) -> Report<'_> {
        Report {
            state,
            inviter: &self.invite.endpoint,
            invite: self.invite.id.to_string(),
            federation_id: None,
            federation_name: None,
            words: None,
            signatures: None,
            needed: None,
            roster_version: None,
            roster: None,
        }
    }

    fn member<'a>(&'a self, newcomer: &Newcomer, roster: &'a History) -> Report<'a> {
        Report {
            federation_id: Some(roster.federation().to_string()),
            federation_name: Some(&roster.current().content().federation_name),
            roster_version: Some(roster.current().version()),
            roster: Some(newcomer.roster.display().to_string()),
            ..self.reported("admitted")
        }
    }

    /// Data: the roster's path, when there is one, or everything as JSON.
    fn report(
        &self,
        out: &mut dyn Write,
        report: &Report<'_>,
        newcomer: Option<&Newcomer>,
    ) -> Result<(), Failure> {
        if self.json {
            let text = serde_json::to_string_pretty(report).map_err(io::Error::other)?;
            writeln!(out, "{text}")?;
        } else if let Some(newcomer) = newcomer {
            writeln!(out, "{}", newcomer.roster.display())?;
        }
        Ok(())
    }
}

/// The folder that is there, or a new one.
fn folder(args: Args, err: &mut dyn Write) -> Result<Newcomer, Failure> {
    if let Some(newcomer) = Newcomer::open(&args.dir, &environment()).map_err(Failure::of_join)? {
        writeln!(err, "{} is {}: it is used as it is", args.dir.display(), newcomer.handle)?;
        return Ok(newcomer);
    }
    let missing = |what: &str| {
        Failure::new(
            Exit::Usage,
            format!("{} is not there yet, and {what} is missing", args.dir.display()),
            "to make it, say who the city is: --handle, --name and --country",
        )
    };
    let who = Who {
        handle: args.handle.ok_or_else(|| missing("--handle"))?,
        names: if args.names.is_empty() { return Err(missing("--name")) } else { args.names },
        country: args.country.ok_or_else(|| missing("--country"))?,
    };
    let (created, options) = init::create(args.dir.clone(), who, args.more)?;
    writeln!(
        err,
        "made {} for {}\nfingerprints, to be read over the telephone to whoever signs the roster:\n{}",
        created.dir.display(),
        options.handle,
        init::read_aloud(&created.fingerprints)
    )?;
    let lost = || Failure::new(Exit::Failed, "the folder that was made is gone", "run this again");
    Newcomer::open(&args.dir, &environment()).map_err(Failure::of_join)?.ok_or_else(lost)
}

/// A key for the first handshake: nothing of this city is shown before the inviter has proved its own.
fn passing() -> Result<wego_proto::pin::Identity, Failure> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut_slice())
        .map_err(|error| Failure::new(Exit::Failed, error, "the system gives no random numbers"))?;
    passing_identity(&seed).map_err(Failure::of_init)
}

/// `not a member yet: 2 of 3 signatures`.
fn far(waiting: &v1::JoinWaiting) -> String {
    let v1::JoinWaiting { signatures, needed, proposed, admissions_stopped } = waiting;
    let signed = format!("{signatures} of {needed} signatures");
    match (proposed, admissions_stopped) {
        (_, true) => {
            format!(
                "not a member yet: {signed}; the roster has expired, and must be renewed before it admits anybody"
            )
        }
        (true, false) => format!("not a member yet: {signed}"),
        (false, false) => format!("not a member yet: {signed}; nobody has proposed it to the committee"),
    }
}

fn talk_of_member(newcomer: &Newcomer, federation: &str, err: &mut dyn Write) -> io::Result<()> {
    let config = newcomer.config.display();
    writeln!(
        err,
        "{} is a member of {}

next:
  1. Move recovery.pem, next-log.pem and, if it is there, governance.pem from its keys to two offline media in two
     places, and delete them here.
  2. wego-node check-config --config {config}
  3. Start the node: wego-node run --config {config}",
        newcomer.handle,
        join::printable(federation)
    )
}
