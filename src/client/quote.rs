//! Commands for `sh`: what was an argument here is the same argument there, whatever it holds.

pub use crate::domain::shell_word as word;

/// A script that becomes `command`, so that signals and the exit code are the command's own.
pub fn script(command: &[String]) -> String {
    let words: Vec<_> = command.iter().map(|argument| word(argument)).collect();
    // `exec` would take a command that begins with a dash for an option.
    let exec = if command.first().is_some_and(|first| first.starts_with('-')) { "" } else { "exec " };
    format!("#!/bin/sh\n{exec}{}\n", words.join(" "))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use proptest::prelude::*;

    use super::*;

    /// What a real shell makes of the words.
    fn read_back(words: &[String]) -> Vec<String> {
        let quoted: Vec<_> = words.iter().map(|w| word(w)).collect();
        let script = format!("for w in {}; do printf '%s\\0' \"$w\"; done", quoted.join(" "));
        let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_terminator('\0').map(str::to_owned).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]

        #[test]
        fn a_shell_reads_back_any_words(words in prop::collection::vec("[^\0]{0,20}", 1..6)) {
            prop_assert_eq!(read_back(&words), words);
        }

        #[test]
        fn a_shell_reads_back_what_is_special_to_it(words in prop::collection::vec("[ '\"\\\\$`!*?~#&;|<>(){}=\n\ta-]{0,12}", 1..6)) {
            prop_assert_eq!(read_back(&words), words);
        }
    }

    #[test]
    fn words_stay_readable_where_they_may() {
        assert_eq!(word("blastn"), "blastn");
        assert_eq!(word("a b"), "'a b'");
        assert_eq!(word(""), "''");
        assert_eq!(word("it's"), r"'it'\''s'");
        // An unquoted `A=1` in front would be an assignment, and `~` a home.
        assert_eq!(word("A=1"), "'A=1'");
        assert_eq!(word("~"), "'~'");
    }

    #[test]
    fn a_script_becomes_its_command() {
        let command = ["sh", "-c", "exit 3"].map(String::from);
        assert_eq!(script(&command), "#!/bin/sh\nexec sh -c 'exit 3'\n");
        let status = Command::new("sh").arg("-c").arg(script(&command)).status().unwrap();
        assert_eq!(status.code(), Some(3));
    }
}
