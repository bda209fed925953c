//! A patch, applied to the letter: where the exercise has changed under it, it is to be made anew.

/// The text with the patch applied.
pub(crate) fn apply(text: &str, patch: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let mut out: Vec<&str> = Vec::new();
    let mut next = 0;
    for line in patch.lines().skip_while(|line| !line.starts_with("@@")) {
        if let Some(header) = line.strip_prefix("@@ -") {
            let start = header.split([',', ' ']).next().and_then(|start| start.parse::<usize>().ok());
            let start = start.ok_or_else(|| format!("no hunk: {line}"))?.saturating_sub(1);
            out.extend(lines.get(next..start).ok_or_else(|| format!("not in this order: {line}"))?);
            next = start;
            continue;
        }
        let (sign, rest) = line.split_at_checked(1).unwrap_or((" ", ""));
        if sign != "+" {
            if lines.get(next) != Some(&rest) {
                return Err(format!("line {}: {:?} instead of {rest:?}", next + 1, lines.get(next)));
            }
            next += 1;
        }
        if sign != "-" {
            out.push(rest);
        }
    }
    out.extend(lines.get(next..).unwrap_or_default());
    Ok(out.join("\n") + "\n")
}

#[test]
fn a_patch_fits_or_says_where_it_does_not() {
    let patch = "--- a/x\n+++ b/x\n@@ -2,3 +2,3 @@\n b\n-c\n+C\n d\n";
    assert_eq!(apply("a\nb\nc\nd\ne\n", patch), Ok("a\nb\nC\nd\ne\n".into()));
    assert!(apply("a\nb\nx\nd\ne\n", patch).unwrap_err().starts_with("line 3"));
}
