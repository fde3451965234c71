//! How a value that was refused is named in the answer: codes and coordinates as sent, anything like free text never.

/// Returns a code as sent, if it looks like one; free text that strayed into a code field is never repeated.
pub(crate) fn shown(text: &str) -> String {
    let is_code_like = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/+".contains(&byte);
    if !text.is_empty() && text.len() <= 40 && text.bytes().all(is_code_like) {
        format!("\"{text}\"")
    } else {
        "this value".to_owned()
    }
}

/// Returns a coordinate as sent, if it looks like one.
pub(crate) fn shown_coordinate(value: &serde_json::Value) -> String {
    let Some(text) = value.as_str() else {
        return "this value".to_owned();
    };
    let is_coordinate_like = |c: char| c.is_ascii_digit() || " .,+-°'\"′″NSEWO".contains(c);
    if text.chars().count() <= 24 && text.chars().all(is_coordinate_like) {
        format!("\"{text}\"")
    } else {
        "this text".to_owned()
    }
}

/// Returns a client's key as part of a JSON pointer, shortened.
pub(crate) fn pointer_part(key: &str) -> String {
    key.chars().take(40).collect::<String>().replace('~', "~0").replace('/', "~1")
}
