//! Good scripts, wrong ones, and hostile ones.

use std::time::Instant;

use super::*;

async fn of(script: &str) -> Checked {
    check(script).await
}

fn lines(checked: &Checked) -> Vec<u64> {
    checked.faults.iter().map(|fault| fault.line).collect()
}

#[tokio::test]
async fn a_good_script_has_no_faults() {
    for (script, shell) in [
        ("echo hello\n", Shell::Sh),
        ("#!/bin/sh -e\nfor i in 1 2; do echo \"$i\"; done\n", Shell::Sh),
        ("#!/bin/bash\na=(1 2 3)\necho \"${a[@]}\"\n", Shell::Bash),
        ("#!/usr/bin/env -S bash -e\nif [[ a == a ]]; then :; fi\n", Shell::Bash),
        ("", Shell::Sh),
        ("echo 'hé ☃'\n", Shell::Sh),
    ] {
        assert_eq!(of(script).await, Checked { shell: Some(shell), faults: vec![] }, "{script:?}");
    }
}

#[tokio::test]
async fn a_fault_is_told_with_its_line() {
    for shebang in ["#!/bin/sh", "#!/bin/bash"] {
        let checked = of(&format!("{shebang}\necho a\nif true; then\nfi\necho b\n")).await;
        assert_eq!(lines(&checked), [4], "{checked:?}");
        assert!(checked.faults[0].message.to_lowercase().contains("syntax error"), "{checked:?}");
        let open = of(&format!("{shebang}\necho \"abc\n")).await;
        assert_eq!(open.faults.len(), 1, "{open:?}");
        assert!((2..=3).contains(&open.faults[0].line), "{open:?}");
    }
    assert_eq!(lines(&of("echo )\n").await), [1]);
}

#[tokio::test]
async fn other_languages_are_not_checked() {
    let unchecked = Checked { shell: None, faults: vec![] };
    for script in
        ["#!/usr/bin/env python3\nif True:\n", "#!/usr/bin/perl\n(", "#!\n(", "#!/usr/bin/env\n(", "#!/bin/zsh\n("]
    {
        assert_eq!(of(script).await, unchecked, "{script:?}");
    }
}

#[tokio::test]
async fn nothing_of_a_script_is_run() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().to_str().unwrap();
    let permissions = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(directory.path(), permissions).unwrap();
    for shebang in ["#!/bin/sh", "#!/bin/bash"] {
        for hostile in [
            "touch PATH/made",
            "x=$(touch PATH/made)",
            "x=`touch PATH/made`",
            ": ${x:=$(touch PATH/made)}",
            "cat <<EOF\n$(touch PATH/made)\nEOF",
            "cat <(touch PATH/made)",
            "echo a > PATH/made",
            "trap 'touch PATH/made' EXIT DEBUG ERR",
            "set +n\ntouch PATH/made",
            "set +o noexec; touch PATH/made",
            "a[$(touch PATH/made)]=1",
            "$((a[$(touch PATH/made)]))",
            "BASH_ENV=PATH/x; . /dev/stdin; eval 'touch PATH/made'",
            "\n)\ntouch PATH/made",
            "$(rm -rf PATH)",
            "exec touch PATH/made",
        ] {
            of(&format!("{shebang}\n{}\n", hostile.replace("PATH", path))).await;
            assert_eq!(std::fs::read_dir(path).unwrap().count(), 0, "{shebang} {hostile}");
        }
    }
}

#[tokio::test]
async fn a_nul_byte_is_a_fault_of_its_line() {
    let checked = of("echo a\necho b\0c\n").await;
    assert_eq!((checked.shell, lines(&checked)), (Some(Shell::Sh), vec![2]));
}

#[tokio::test]
async fn huge_and_endless_scripts_end_in_time() {
    let many_lines = "echo hello world\n".repeat(60_000);
    let deep = format!("#!/bin/bash\n{}", "$(".repeat(200_000));
    let braces = format!("#!/bin/bash\n{}", "{ ".repeat(300_000));
    let heredoc = format!("#!/bin/bash\ncat <<EOF\n{}", "x\n".repeat(400_000));
    let heredocs = format!("#!/bin/bash\n{}", (0..2_000).map(|n| format!("cat <<E{n}\n")).collect::<String>());
    let one_line = format!("echo {}", "a".repeat(1 << 20));
    for (what, script) in [
        ("many lines", &many_lines),
        ("deep", &deep),
        ("braces", &braces),
        ("here-document", &heredoc),
        ("here-documents", &heredocs),
        ("one line", &one_line),
    ] {
        let begun = Instant::now();
        let checked = of(script).await;
        assert!(begun.elapsed() < TURN_WITHIN + WITHIN + Duration::from_secs(5), "{what}: {:?}", begun.elapsed());
        assert!(checked.faults.len() <= MOST_FAULTS, "{what}: {}", checked.faults.len());
        assert!(checked.faults.iter().all(|fault| fault.message.chars().count() <= LONGEST_MESSAGE), "{what}");
    }
    assert_eq!(of(&many_lines).await.faults, []);
    let open = of(&heredoc[..1_000]).await;
    assert!(open.faults.iter().any(|fault| fault.message.contains("here-document")), "{open:?}");
}

#[test]
fn what_shells_say_is_read() {
    let said = "/dev/stdin: line 3: syntax error near unexpected token `fi'\n/dev/stdin: line 3: `fi'\n\
                /dev/stdin: 7: Syntax error: \"fi\" unexpected\nsomething else\n/dev/stdin: line x: y\n";
    let found = faults(said);
    assert_eq!(found.iter().map(|fault| fault.line).collect::<Vec<_>>(), [3, 7]);
    assert_eq!(found[1].message, "Syntax error: \"fi\" unexpected");
    let long = format!("/dev/stdin: line 1: a\u{7}b\u{1b}[31m{}", "x".repeat(1_000));
    assert_eq!(faults(&long)[0].message.chars().count(), LONGEST_MESSAGE);
    assert!(!faults(&long)[0].message.contains('\u{1b}'));
}
