//! Text inside HTML: the page and its plots both show names that other programs wrote.

/// `text` with the characters that HTML reserves replaced, for content and for quoted attributes.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
