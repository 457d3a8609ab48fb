//! Server-sent events out of bytes, however these were cut.

/// One event, as the stream gave it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// `message` when the stream does not say.
    pub name: String,
    pub data: String,
    /// The last id the stream gave, this event's or an earlier one's.
    pub id: Option<String>,
}

/// Keeps what is not whole yet: half a line (and so half a character), half an event.
#[derive(Debug, Default)]
pub struct Parser {
    line: Vec<u8>,
    /// The last byte was a carriage return: a line feed after it belongs to it.
    after_return: bool,
    begun: bool,
    name: Option<String>,
    data: Option<String>,
    id: Option<String>,
}

impl Parser {
    /// The events that `bytes` complete.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        for &byte in bytes {
            let follows_return = std::mem::replace(&mut self.after_return, byte == b'\r');
            match byte {
                b'\n' if follows_return => {}
                b'\n' | b'\r' => events.extend(self.end_line()),
                _ => self.line.push(byte),
            }
        }
        events
    }

    /// A line is whole: an empty one ends an event, any other adds to it.
    fn end_line(&mut self) -> Option<Event> {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let line = if std::mem::replace(&mut self.begun, true) { &text } else { text.trim_start_matches('\u{feff}') };
        if line.is_empty() {
            return self.end_event();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "event" => self.name = Some(value.to_owned()),
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "id" if !value.contains('\0') => self.id = Some(value.to_owned()),
            // Comments (an empty field), `retry`, and what later versions may add.
            _ => {}
        }
        None
    }

    fn end_event(&mut self) -> Option<Event> {
        let name = self.name.take();
        let data = self.data.take()?;
        Some(Event {
            name: name.filter(|name| !name.is_empty()).unwrap_or_else(|| "message".into()),
            data,
            id: self.id.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(name: &str, data: &str, id: Option<&str>) -> Event {
        Event { name: name.into(), data: data.into(), id: id.map(str::to_owned) }
    }

    const STREAM: &str = "\u{feff}: hello\n\nid: 4:0\nevent: out\ndata: {\"text\":\"aé€😀\"}\n\n\
                          event: note\r\ndata: one\r\ndata:two\r\ndata\r\ndata:  four\r\n\r\n\
                          retry: 10\rdata: last\r\r";

    fn expected() -> Vec<Event> {
        vec![
            event("out", "{\"text\":\"aé€😀\"}", Some("4:0")),
            event("note", "one\ntwo\n\n four", Some("4:0")),
            event("message", "last", Some("4:0")),
        ]
    }

    #[test]
    fn events_are_the_same_however_the_bytes_are_cut() {
        for size in 1..=STREAM.len() {
            let mut parser = Parser::default();
            let events: Vec<_> = STREAM.as_bytes().chunks(size).flat_map(|chunk| parser.feed(chunk)).collect();
            assert_eq!(events, expected(), "in pieces of {size}");
        }
    }

    #[test]
    fn an_event_without_its_end_is_not_told() {
        assert_eq!(Parser::default().feed(b"event: out\ndata: {\"text\":\"half"), []);
        assert_eq!(Parser::default().feed(b"event: out\ndata: whole\n"), []);
    }

    #[test]
    fn an_event_without_data_is_none_and_leaves_no_name_behind() {
        assert_eq!(Parser::default().feed(b"event: out\n\ndata: x\n\n"), [event("message", "x", None)]);
    }
}
