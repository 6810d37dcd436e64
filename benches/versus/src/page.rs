//! The page.
use crate::summary::Summary;
pub fn render(_: &Summary) -> String {
    String::new()
}
