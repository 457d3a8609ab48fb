//! What of a job's files a browser may show as what they are.
//!
//! By their first bytes, and never by their names: pictures, which run nothing, and PDF, of which a browser's viewer runs
//! what it likes apart from us; both in a frame of no origin. Not SVG and not HTML, which are programs.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    Picture(&'static str),
    Pdf,
}

impl Shown {
    /// What a file that begins with these bytes is; `None` is to be saved, not shown.
    pub fn of(head: &[u8]) -> Option<Shown> {
        let begins = |sign: &[u8]| head.starts_with(sign);
        if begins(b"\x89PNG\r\n\x1a\n") {
            Some(Shown::Picture("image/png"))
        } else if begins(b"\xff\xd8\xff") {
            Some(Shown::Picture("image/jpeg"))
        } else if begins(b"GIF87a") || begins(b"GIF89a") {
            Some(Shown::Picture("image/gif"))
        } else if begins(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
            Some(Shown::Picture("image/webp"))
        } else if begins(b"%PDF-") {
            Some(Shown::Pdf)
        } else {
            None
        }
    }

    /// Width and height of a picture in pixels, where its beginning says them. They are its author's word and no more.
    pub fn dimensions(self, head: &[u8]) -> Option<(usize, usize)> {
        let size = matches!(self, Shown::Picture(_)).then(|| imagesize::blob_size(head).ok()).flatten()?;
        (size.width > 0 && size.height > 0).then_some((size.width, size.height))
    }

    pub fn content_type(self) -> &'static str {
        match self {
            Shown::Picture(kind) => kind,
            Shown::Pdf => "application/pdf",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_not_shown_whatever_they_pretend() {
        assert_eq!(Shown::of(b"\x89PNG\r\n\x1a\n...."), Some(Shown::Picture("image/png")));
        assert_eq!(Shown::of(b"RIFF\0\0\0\0WEBPVP8 "), Some(Shown::Picture("image/webp")));
        assert_eq!(Shown::of(b"%PDF-1.7"), Some(Shown::Pdf));
        for head in [&b"<svg xmlns="[..], b"<!doctype html>", b"<?xml", b"", b"RIFF\0\0\0\0WAVE", b" %PDF-", b"%!PS"] {
            assert_eq!(Shown::of(head), None);
        }
    }

    #[test]
    fn a_picture_says_how_large_it_is_or_does_not() {
        let png = |size: &[u8]| [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", size].concat();
        let picture = Shown::Picture("image/png");
        assert_eq!(picture.dimensions(&png(&[0, 0, 1, 64, 0, 0, 0, 200])), Some((320, 200)));
        assert_eq!(picture.dimensions(&png(&[0, 0, 0, 0, 0, 0, 0, 200])), None);
        assert_eq!(picture.dimensions(&png(&[0, 0, 1])), None);
        assert_eq!(Shown::Pdf.dimensions(&png(&[0, 0, 1, 64, 0, 0, 0, 200])), None);
    }
}
