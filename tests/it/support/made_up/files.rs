//! What jobs and people left.

use std::fs;
use std::os::unix::fs::chown;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use godocker::domain::{Job, User};
use godocker::files::{JobDirs, UploadSpaces};

/// The output of a job that ended as its name says; more of the one that is done.
pub async fn write(dirs: &JobDirs, job: &Job, name: &str) {
    let dir = dirs.prepare(job).await.unwrap().directory;
    let put = |name: &str, bytes: &[u8]| fs::write(dir.join(name), bytes).unwrap();
    let steps: String = (1..=40)
        .map(|n| format!("[{:02}:{:02}] chunk {n} of 40: {} hits\n", n / 6, n * 10 % 60, n * 37 % 101))
        .collect();
    put("god.log", steps.as_bytes());
    match name {
        "failed" => {
            put("god.err", b"align.sh: line 12: ref.fa: No such file or directory\nerror: no index for the reference\n")
        }
        "out-of-memory" => put("god.err", b"loading the matrix (14.2 GB)..\nKilled\n"),
        "done" => {
            put("god.err", b"");
            let hits: String = (1..=2_000)
                .map(|n| format!("query{n}\tsp|P{:05}\t{}.{}\n", n * 7 % 99_991, 60 + n % 40, n % 10))
                .collect();
            put("hits.tsv", hits.as_bytes());
            put("plot.png", &png(320, 200));
            put("report.pdf", &pdf("BLAST report: 2000 hits"));
            fs::create_dir_all(dir.join("chunks")).unwrap();
            for n in 1..=30 {
                put(&format!("chunks/part-{n:03}.fa"), format!(">seq{n}\n{}\n", "ACGT".repeat(40)).as_bytes());
            }
        }
        _ => {}
    }
    if let Some(outcome) = job.state.outcome() {
        written_at(&dir, UNIX_EPOCH + Duration::from_millis(outcome.ended.0 as u64));
    }
}

/// All beneath it, as of then.
fn written_at(path: &Path, then: SystemTime) {
    if path.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| written_at(&entry.unwrap().path(), then));
    }
    fs::File::open(path).unwrap().set_modified(then).unwrap();
}

/// Some files in a user's upload space.
pub async fn upload(shared: &Path, user: &User) {
    let spaces = UploadSpaces::new(shared);
    spaces.open(user).await.unwrap();
    let root = spaces.path_of(&user.id);
    fs::create_dir_all(root.join("reads")).unwrap();
    let files =
        [("reads/sample-1.fq", 4_000), ("reads/sample-2.fq", 5_200), ("reference.fa", 90_000), ("notes.txt", 120)];
    for (name, lines) in files {
        fs::write(root.join(name), "ACGTACGTTAGC\n".repeat(lines)).unwrap();
        chown(root.join(name), Some(user.uid), Some(user.gid)).unwrap();
    }
    chown(root.join("reads"), Some(user.uid), Some(user.gid)).unwrap();
}

/// A picture of bars, in a PNG that is not compressed: grey, a byte a pixel.
fn png(width: u32, height: u32) -> Vec<u8> {
    let mut rows = Vec::new();
    for y in 0..height {
        rows.push(0);
        rows.extend((0..width).map(|x| {
            let bar = 30 + x / 32 * 37 % 150;
            if x % 32 > 6 && height - y < bar && height - y > 10 { 90 } else { 245 }
        }));
    }
    let mut zlib = vec![0x78, 0x01];
    let blocks: Vec<_> = rows.chunks(0xffff).collect();
    for (i, block) in blocks.iter().enumerate() {
        let length = block.len() as u16;
        zlib.push(u8::from(i + 1 == blocks.len()));
        zlib.extend(length.to_le_bytes());
        zlib.extend((!length).to_le_bytes());
        zlib.extend(*block);
    }
    let (a, b) = rows
        .iter()
        .fold((1u32, 0u32), |(a, b), byte| ((a + u32::from(*byte)) % 65_521, (b + a + u32::from(*byte)) % 65_521));
    zlib.extend((b << 16 | a).to_be_bytes());
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 0, 0, 0, 0]].concat();
    for (kind, data) in [(b"IHDR", header), (b"IDAT", zlib), (b"IEND", vec![])] {
        let body = [&kind[..], &data].concat();
        png.extend((data.len() as u32).to_be_bytes());
        png.extend(&body);
        png.extend(crc(&body).to_be_bytes());
    }
    png
}

fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

/// One page that says this. Readers find their way without a table of objects.
fn pdf(text: &str) -> Vec<u8> {
    let content = format!("BT /F1 24 Tf 72 700 Td ({text}) Tj ET");
    format!(
        "%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n\
         3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>endobj\n\
         4 0 obj<</Length {}>>stream\n{content}\nendstream endobj\n\
         5 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n",
        content.len()
    )
    .into_bytes()
}
