//! A real directory, OpenLDAP's slapd: people, certificates and ports of its own.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::certificates::make_certificates;

pub const BASE_DN: &str = "dc=lab,dc=example";
pub const ADMIN_DN: &str = "cn=admin,dc=lab,dc=example";
pub const ADMIN_PASSWORD: &str = "the administrator's password";

/// A user whose ids every Debian has, as those of games.
pub const ANN: &str = "ann";
pub const ANN_MAIL: &str = "ann@lab.example";
pub const ANN_PASSWORD: &str = "Ännchens * password";
pub const ANN_UID: u32 = 5;
pub const ANN_GID: u32 = 60;
pub const ANN_HOME: &str = "/home/ann";

/// Of everybody else who has one.
pub const PASSWORD: &str = "a password";
/// Two users' mail, `twin1` and `twin2`.
pub const TWINS_MAIL: &str = "twins@lab.example";

/// Where the server answers over TLS too, though its certificate does not name it.
pub const OTHER_HOST: &str = "127.0.0.2";

pub struct Slapd {
    child: Child,
    port: u16,
    tls_port: u16,
    dir: tempfile::TempDir,
}

impl Slapd {
    pub fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        // AppArmor's profile of the package, where there is one, goes by path and keeps it out of such directories: a
        // copy has none.
        std::fs::copy("/usr/sbin/slapd", dir.path().join("slapd")).unwrap();
        make_certificates(dir.path());
        fill(dir.path());
        // A port that was free may be taken by the time slapd opens it.
        for _ in 0..5 {
            let (port, tls_port) = free_ports();
            if let Some(child) = serve(dir.path(), port, tls_port) {
                return Slapd { child, port, tls_port, dir };
            }
        }
        panic!("slapd does not start: {}", std::fs::read_to_string(dir.path().join("log")).unwrap());
    }

    /// Of plain LDAP and StartTLS, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Of ldaps, on 127.0.0.1 and [`OTHER_HOST`].
    pub fn tls_port(&self) -> u16 {
        self.tls_port
    }

    /// Whose certificate the server's is signed with; it is for 127.0.0.1 and localhost.
    pub fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// An authority that has nothing to do with the server.
    pub fn other_ca_file(&self) -> PathBuf {
        self.dir.path().join("other-ca.pem")
    }

    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        self.stop();
    }
}

fn free_ports() -> (u16, u16) {
    let listeners = [0, 0].map(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
    let [port, tls_port] = listeners.map(|listener| listener.local_addr().unwrap().port());
    (port, tls_port)
}

/// The server, as soon as it answers; `None` if it ends instead.
fn serve(dir: &Path, port: u16, tls_port: u16) -> Option<Child> {
    let urls = format!("ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port} ldaps://{OTHER_HOST}:{tls_port}");
    let log = std::fs::File::create(dir.join("log")).unwrap();
    let mut child = Command::new(dir.join("slapd"))
        .args(["-d", "0", "-h", &urls, "-f"])
        .arg(dir.join("slapd.conf"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let answers = |port| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok();
    while !(answers(port) && answers(tls_port)) {
        if child.try_wait().unwrap().is_some() {
            return None;
        }
        assert!(Instant::now() < deadline, "slapd does not answer");
        std::thread::sleep(Duration::from_millis(10));
    }
    Some(child)
}

fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}

fn fill(dir: &Path) {
    let at = dir.display();
    let configuration = format!(
        "include /etc/ldap/schema/core.schema\n\
         include /etc/ldap/schema/cosine.schema\n\
         include /etc/ldap/schema/nis.schema\n\
         include /etc/ldap/schema/inetorgperson.schema\n\
         modulepath /usr/lib/ldap\n\
         moduleload back_mdb\n\
         TLSCACertificateFile {at}/ca.pem\n\
         TLSCertificateFile {at}/server.pem\n\
         TLSCertificateKeyFile {at}/server.key\n\
         database mdb\n\
         directory {at}/db\n\
         maxsize 10485760\n\
         suffix \"{BASE_DN}\"\n\
         rootdn \"{ADMIN_DN}\"\n\
         rootpw \"{ADMIN_PASSWORD}\"\n\
         access to attrs=userPassword by anonymous auth by * none\n\
         access to dn.base=\"uid=shy,ou=people,{BASE_DN}\" by anonymous auth by * none\n\
         access to * by * read\n"
    );
    std::fs::create_dir(dir.join("db")).unwrap();
    std::fs::write(dir.join("slapd.conf"), configuration).unwrap();
    std::fs::write(dir.join("people.ldif"), people()).unwrap();
    run(Command::new(dir.join("slapd"))
        .args(["-T", "add", "-q", "-f"])
        .arg(dir.join("slapd.conf"))
        .arg("-l")
        .arg(dir.join("people.ldif")));
}

fn people() -> String {
    let mut ldif = format!("dn: {BASE_DN}\nobjectClass: dcObject\nobjectClass: organization\ndc: lab\no: Lab\n\n");
    for unit in ["people", "guests"] {
        ldif += &format!("dn: ou={unit},{BASE_DN}\nobjectClass: organizationalUnit\nou: {unit}\n\n");
    }
    let account = |login: &str, unit: &str, uid: u32, gid: u32, mail: &str, password: &str| {
        let ids = format!("uidNumber: {uid}\ngidNumber: {gid}\nhomeDirectory: /home/{login}\n");
        person(login, unit, mail, password, "objectClass: posixAccount\n") + &*ids + "\n"
    };
    ldif += &account(ANN, "people", ANN_UID, ANN_GID, ANN_MAIL, ANN_PASSWORD);
    ldif += &account("twin1", "people", 2001, 2000, TWINS_MAIL, PASSWORD);
    ldif += &account("twin2", "people", 2002, 2000, TWINS_MAIL, PASSWORD);
    // Only the administrator sees it.
    ldif += &account("shy", "people", 2004, 2000, "shy@lab.example", PASSWORD);
    ldif += &account("guest", "guests", 2005, 2000, "guest@lab.example", PASSWORD);
    ldif += &account("toor", "people", 0, 0, "toor@lab.example", PASSWORD);
    // No account: no ids.
    ldif += &(person("paper", "people", "paper@lab.example", PASSWORD, "") + "\n");
    ldif
}

fn person(login: &str, unit: &str, mail: &str, password: &str, more_classes: &str) -> String {
    format!(
        "dn: uid={login},ou={unit},{BASE_DN}\nobjectClass: inetOrgPerson\n{more_classes}uid: {login}\ncn: {login}\n\
         sn: {login}\nmail: {mail}\nuserPassword: {password}\n"
    )
}
