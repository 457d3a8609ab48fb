//! Words for `sh`: what is an argument here is the same argument there, whatever it holds.

/// `word` so that a POSIX shell reads it back as one word.
pub fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    // Inside single quotes only the single quote itself is special, and cannot be written.
    format!("'{}'", word.replace('\'', r"'\''"))
}
