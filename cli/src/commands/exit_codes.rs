//! `wego exit-codes`: what scripts branch on. Needs no node.

use serde::Serialize;

use crate::{
    context::{Context, Format},
    error::{ExitCode, Outcome},
    output::Table,
};

/// Explain the exit codes
///
/// 0 ok. 1 failed. 2 wrong usage: command line, file or query. 3 done, but something needs a look. 4 not
/// authorised. 5 unreachable or no answer in time. 6 conflict or precondition. 7 integrity violation. 8 cancelled.
#[derive(Debug, clap::Args)]
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
