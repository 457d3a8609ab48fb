//! Who comes in, and how safely.

use std::process::Command;

use serde_json::json;

use super::client::*;
use crate::support::certificates::make_certificates;
use crate::support::{API_KEY, native};

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_in_has_a_key_or_a_token_and_may_what_it_says() {
    let ftp = Ftp::start(plain(23_300), 23_300).await;
    let token = ftp.server.token_of("ann", &ftp.key).await;
    let made = async |scope: &str| {
        let wanted = json!({ "name": scope, "scope": scope });
        ftp.server.call_as(&token, "POST", "/user/ann/token", Some(wanted)).await.1["token"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (reads, submits) = (made("read").await, made("submit").await);
    let file = ftp.file("a", b"hello");
    let put = |secret: &str| ftp.curl_as(&format!("ann:{secret}"), &["-T", file.to_str().unwrap(), &ftp.url("a")]);
    well(&put(&submits));
    let refused = put(&reads);
    assert!(!refused.status.success());
    assert_eq!(well(&ftp.curl_as(&format!("ann:{reads}"), &[&ftp.url("a")])), "hello");
    // The administrator's key opens no other account; a signed token of the API opens none.
    for login in [
        format!("ann:{API_KEY}"),
        "ann:".into(),
        "nobody:x".into(),
        format!("ann:{token}"),
        format!("admin:{}", ftp.key),
    ] {
        let refused = ftp.curl_as(&login, &[&ftp.url("")]);
        assert_eq!(refused.status.code(), Some(67), "{login}: {}", text(&refused.stderr));
    }
    // Neither did any of it show.
    assert!(!ftp.server.log().contains(&ftp.key) && !ftp.server.log().contains(&reads), "{}", ftp.server.log());
    // An account that is closed is closed also to who is in.
    let mut session = Session::open(ftp.port);
    session.log_in("ann", &ftp.key);
    assert!(session.say("CWD /").starts_with("250"));
    assert_eq!(ftp.server.call("PUT", "/user/ann", Some(json!({ "standing": "disabled" }))).await.0, 200);
    assert!(session.say("CWD /").starts_with("550"));
    assert_eq!(put(&submits).status.code(), Some(67));
    // Guessers wait.
    for _ in 0..12 {
        ftp.curl_as("admin:wrong", &[&ftp.url("")]);
    }
    assert_eq!(ftp.curl_as(&format!("admin:{API_KEY}"), &[&ftp.url("")]).status.code(), Some(67));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_files_cross_the_network_by_tls_alone_unless_plain_is_allowed() {
    let certificates = tempfile::tempdir().unwrap();
    make_certificates(certificates.path());
    let at = |name: &str| certificates.path().join(name).display().to_string();
    let options = with_ftp(native(), 23_600)
        .with("GODOCKER_FTP_TLS_CERT", &at("server.pem"))
        .with("GODOCKER_FTP_TLS_KEY", &at("server.key"));
    let ftp = Ftp::start(options, 23_600).await;
    std::fs::copy(at("ca.pem"), ftp.here.path().join("ca.pem")).unwrap();
    let file = ftp.file("a.txt", b"hello");
    // The key is not asked for.
    let mut session = Session::open(ftp.port);
    let refused = session.say("USER ann");
    assert!(refused.starts_with("5"), "{refused}");
    assert_eq!(ftp.put(&file, "a.txt").status.code(), Some(67));
    let authority = at("ca.pem");
    let tls = ["--ssl-reqd", "--cacert", &authority];
    let with_tls = |more: &[&str]| ftp.curl(&[&tls[..], more].concat());
    well(&with_tls(&["-T", file.to_str().unwrap(), &ftp.url("a.txt")]));
    assert_eq!(well(&with_tls(&[&ftp.url("a.txt")])), "hello");
    assert!(well(&with_tls(&[&ftp.url("")])).contains("a.txt"));
    for version in ["--tls-max", "--tlsv1.3"] {
        let choice: &[&str] = if version == "--tls-max" { &["--tls-max", "1.2"] } else { &["--tlsv1.3"] };
        let output = with_tls(&[choice, &["-T", file.to_str().unwrap(), &ftp.url("b.txt")]].concat());
        well(&output);
    }
    // Another authority's word is not taken by the client: the certificate is the one that was given.
    let other = at("other-ca.pem");
    assert!(!ftp.curl(&["--ssl-reqd", "--cacert", &other, &ftp.url("")]).status.success());
    ftp.lftp_well("put a.txt -o c.txt; get c.txt -o back.txt; cls");
    assert_eq!(std::fs::read(ftp.here.path().join("back.txt")).unwrap(), b"hello");
    // Neither PASV nor EPSV gives a connection for files without TLS.
    for passive in [&["--disable-epsv"][..], &[]] {
        let in_the_clear = |more: &[&str]| {
            let control_only = ["--ftp-ssl-control", "--cacert", authority.as_str()];
            ftp.curl(&[&control_only[..], passive, more].concat())
        };
        assert!(!in_the_clear(&["-T", file.to_str().unwrap(), &ftp.url("plain.txt")]).status.success(), "{passive:?}");
        let read = in_the_clear(&[&ftp.url("a.txt")]);
        assert!(!read.status.success() && read.stdout.is_empty(), "{passive:?}");
        let listed = in_the_clear(&[&ftp.url("")]);
        assert!(!listed.status.success() && listed.stdout.is_empty(), "{passive:?}");
    }
    assert!(!ftp.space("plain.txt").exists());
}

#[test]
fn ftp_does_not_start_where_keys_would_cross_the_network_in_the_clear() {
    let dir = tempfile::tempdir().unwrap();
    let start = |args: &[&str], env: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_go-d"));
        command.args(args).env_clear().env("GODOCKER_DATA_DIR", dir.path().join("data")).envs(env.iter().copied());
        let output = command.output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let (code, said) = start(&["up", "--listen", "127.0.0.1:0"], &[("GODOCKER_FTP", "true")]);
    assert!(
        code == Some(2) && said.contains("GODOCKER_FTP: ftp_tls_cert, ftp_tls_key: expected a certificate"),
        "{said}"
    );
    let cluster =
        [("GODOCKER_REDIS_HOST", "127.0.0.1"), ("GODOCKER_REDIS_PORT", "1"), ("GODOCKER_EXECUTORS", "native")];
    let (code, said) = start(&["ftp", "run"], &cluster);
    assert!(code == Some(1) && said.contains("ftp_allow_plain: true"), "{said}");
    let missing = [("GODOCKER_FTP_TLS_CERT", "/no/such"), ("GODOCKER_FTP_TLS_KEY", "/no/such")];
    let (code, said) = start(&["ftp", "run"], &[&cluster[..], &missing].concat());
    assert!(code == Some(1) && said.contains("/no/such cannot be used"), "{said}");
    let (code, said) = start(&["config", "check"], &[("GODOCKER_FTP_PASSIVE_PORTS", "9-1"), missing[0]]);
    assert_eq!(code, Some(2), "{said}");
}
