//! The independent verifier, run as a program. It must never be given anything but files.

use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

use serde_json::Value;

/// A Python that has what the verifier needs.
#[derive(Debug)]
pub(super) struct Python(String);

impl Python {
    /// Says `skipped` where there is none. `WEGO_PYTHON` names another than `python3`.
    pub(super) fn find() -> Option<Self> {
        let program = std::env::var("WEGO_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let needs = "import sys, cryptography; sys.exit(sys.version_info < (3, 11))";
        let mut command = Command::new(&program);
        command.args(["-c", needs]).stdout(Stdio::null()).stderr(Stdio::null());
        if command.status().is_ok_and(|status| status.success()) {
            return Some(Self(program));
        }
        println!("skipped: {program} with tests/verifier/requirements.txt is not installed");
        None
    }

    /// Runs the verifier: whether it exits with 0, and what it found.
    pub(super) fn run(&self, args: &[&str]) -> (bool, Value) {
        let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("verifier/verify.py");
        // No compiled files beside the sources.
        let output = Command::new(&self.0).arg("-B").arg(program).args(args).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let code = output.status.code();
        assert!([Some(0), Some(7)].contains(&code), "exit code {code:?}: {said}");
        (code == Some(0), serde_json::from_slice(&output.stdout).unwrap())
    }
}
