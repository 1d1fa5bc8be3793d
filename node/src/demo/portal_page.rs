//! Reads a page of a city's portal as a browser does, and takes sentences out of it. Understands only our own pages.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

/// A page takes longer only where something is wrong.
const PAGE_TIMEOUT: Duration = Duration::from_secs(30);
/// Largest answer read, in bytes: ten times the largest page.
const PAGE_BYTES_MAX: u64 = 4 * 1_024 * 1_024;

/// The page at `target` (path and query) of the portal at `at`.
pub(super) async fn fetch(at: SocketAddr, target: &str) -> io::Result<String> {
    timeout(PAGE_TIMEOUT, converse(at, target)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn converse(at: SocketAddr, target: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(at).await?;
    let request = format!("GET {target} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(PAGE_BYTES_MAX).read_to_string(&mut answer).await?;
    match answer.split_once("\r\n\r\n") {
        Some((head, page)) if head.starts_with("HTTP/1.1 200 ") => Ok(page.to_owned()),
        _ => Err(io::Error::other("the answer is no page")),
    }
}

/// The words of the first element whose opening tag contains `mark`, up to its closing tag.
pub(super) fn words_of(page: &str, tag: &str, mark: &str) -> Option<String> {
    let (_, after) = page.split_once(mark)?;
    let (_, inside) = after.split_once('>')?;
    let (inside, _) = inside.split_once(&format!("</{tag}>"))?;
    let mut words = String::new();
    let mut in_tag = false;
    for c in inside.chars() {
        match c {
            '<' => in_tag = true,
            '>' => in_tag = false,
            _ if !in_tag => words.push(c),
            _ => {}
        }
    }
    let plain = words.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
    Some(plain.split_whitespace().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_taken_out_of_their_markup() {
        let page = r#"<p class="coverage">9 sur 9 &amp; <a href="/x">plus</a></p>"#;
        assert_eq!(words_of(page, "p", r#"class="coverage""#).as_deref(), Some("9 sur 9 & plus"));
        assert_eq!(words_of(page, "p", r#"class="other""#), None);
    }
}
