use super::*;
use crate::web::words::Language;

fn drawn(shape: Shape, values: &[&[f64]], limit: Option<f64>) -> String {
    let chart = Chart {
        title: "Use of <b>".into(),
        shape,
        labels: (1..=values[0].len()).map(|day| format!("day {day}")).collect(),
        series: values.iter().map(|v| Series { name: "a&b".into(), values: v.to_vec() }).collect(),
        limit: limit.map(|value| Limit { name: "asked".into(), value }),
        unit: Unit::Number,
        format: &|value| format!("{value} h"),
    };
    chart.html(&Words::new(Language::English, None))
}

#[test]
fn bars_stand_on_each_other_and_fill_the_height() {
    let html = drawn(Shape::Bars, &[&[2.0, 0.0], &[2.0, 1.0]], None);
    assert!(html.contains(r#"<rect class="c0" x="50" y="100" width="400" height="100">"#), "{html}");
    assert!(html.contains(r#"<rect class="c1" x="50" y="0" width="400" height="100">"#), "{html}");
    assert!(html.contains("<span>4 h</span><span>2 h</span><span>0 h</span>"), "{html}");
    assert_eq!(html.matches("<rect").count(), 3, "nothing is drawn of what is nothing");
}

#[test]
fn lines_go_from_edge_to_edge_below_their_limit() {
    let html = drawn(Shape::Lines, &[&[1.0, 2.0, 4.0]], Some(8.0));
    assert!(html.contains(r#"points="0,175 500,150 1000,100 ""#), "{html}");
    assert!(html.contains(r#"<line class="limit" x1="0" x2="1000" y1="0" y2="0"/>"#), "{html}");
    assert!(html.contains("asked: 8 h"), "{html}");
    assert!(drawn(Shape::Lines, &[&[1.0]], None).contains(r#"points="0,0 1000,0""#));
}

#[test]
fn names_are_text_and_never_markup() {
    let html = drawn(Shape::Bars, &[&[1.0]], Some(1.0));
    assert!(html.contains("Use of &lt;b&gt;") && html.contains("a&amp;b") && !html.contains("<b>"), "{html}");
}

#[test]
fn axes_end_at_round_numbers_and_carry_few_words() {
    for (highest, end) in [(0.0, 1.0), (0.35, 0.4), (1.0, 1.0), (7.3, 8.0), (11.0, 12.0), (24.0, 30.0), (999.0, 1000.0)]
    {
        assert!((scale::top(highest, Unit::Number) - end).abs() < 1e-9, "{highest}");
    }
    for (highest, end) in [(0.3, 0.3), (61.0, 120.0), (3_599.0, 3_600.0), (5_000.0, 7_200.0), (90_000.0, 172_800.0)] {
        assert!((scale::top(highest, Unit::Seconds) - end).abs() < 1e-9, "{highest} s");
    }
    assert_eq!(scale::some_of(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 3), [&1, &5, &9]);
}

#[test]
fn a_gauge_is_never_fuller_than_full() {
    let html = gauge(0.25, Some(0.5), "fine");
    assert!(html.contains(r#"<rect width="25" height="6"/><line x1="50" x2="50""#), "{html}");
    let html = gauge(3.0, None, tone(3.0));
    assert!(html.contains(r#"class="gauge bad""#) && html.contains(r#"<rect width="100""#), "{html}");
    assert_eq!((tone(0.79), tone(0.8), tone(1.0)), ("fine", "wait", "bad"));
}
