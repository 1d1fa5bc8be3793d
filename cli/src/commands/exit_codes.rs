//! `wego exit-codes`: what scripts branch on. Needs no node.

use serde::Serialize;

use crate::{
    context::{Context, Format},
    error::{ExitCode, Outcome},
    output::Table,
};

/// Explain the exit codes
///
///   0  done
///   1  failed, for a reason no other code names
///   2  wrong usage: the command line, a file or a query; nothing was done
///   3  done, and something needs a look: degraded status, skipped records, pending erasures
///   4  not authorised
///   5  unreachable, or no answer in time
///   6  conflict or precondition: something changed in between
///   7  integrity violation: a signature, key or chain is not what it must be
///   8  cancelled by the user
///   9  not found: no such record, member, peer, invite, profile or file here
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Args {}

#[derive(Serialize)]
struct Codes {
    exit_codes: Vec<Code>,
}

#[derive(Serialize)]
struct Code {
    code: u8,
    meaning: &'static str,
}

pub(crate) fn run(_args: &Args, cx: &mut Context) -> Outcome {
    let codes = ExitCode::MEANINGS.map(|(code, meaning)| Code { code: code.code(), meaning });
    match cx.format {
        Format::Json => cx.print_json(&Codes { exit_codes: codes.into() })?,
        Format::Human => {
            let mut table = Table::new(&["CODE", "MEANING"]);
            for code in codes {
                table.row([code.code.to_string().as_str(), code.meaning]);
            }
            cx.print_table(table)?;
        }
    }
    Ok(ExitCode::Ok)
}
