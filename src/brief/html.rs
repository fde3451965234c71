//! A brief as one HTML page: nothing fetched, no script, one style sheet that the policy names by its hash.

use crate::brief::blocks::{Block, Document, Table, Tile};
use crate::brief::svg::{escape, put, write_svg};

/// The style sheet of the page.
pub const STYLE: &str = "\
:root{color-scheme:light}\
body{margin:0;font:16px/1.5 Helvetica,Arial,'Liberation Sans','Noto Sans',sans-serif;color:#1f2933;background:#fff}\
header{background:#173f5f;color:#fff;padding:1.5rem 0}\
header>div,main,footer{max-width:46rem;margin:0 auto;padding:0 1.25rem}\
header p{margin:0}\
header .kind{display:flex;flex-wrap:wrap;gap:.25rem 1rem;justify-content:space-between;font-size:.9rem}\
h1{margin:.25rem 0;font-size:2.1rem;line-height:1.15}\
h2{margin:2.25rem 0 .75rem;font-size:1.3rem;line-height:1.25;color:#173f5f}\
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:.75rem;margin:1.25rem 0;padding:0;list-style:none}\
.tiles li{background:#f2f4f6;border-left:4px solid #173f5f;padding:.75rem 1rem}\
.tiles strong{display:block;font-size:1.75rem;line-height:1.2}\
.tiles span{display:block;font-weight:bold;font-size:.9rem}\
.tiles small{color:#5b6773}\
figure{margin:1.25rem 0;overflow-x:auto}\
figure svg{width:100%;min-width:30rem;height:auto;display:block}\
.scroll{overflow-x:auto;margin:1.25rem 0}\
table{border-collapse:collapse;width:100%;font-size:.9rem}\
caption{text-align:left;font-weight:bold;padding-bottom:.35rem}\
th,td{padding:.3rem .5rem;border-bottom:1px solid #d9dee3;text-align:right;font-variant-numeric:tabular-nums;vertical-align:top}\
th:first-child,td:first-child{text-align:left;padding-left:0}\
thead th{border-bottom:2px solid #1f2933}\
tr.strong th,tr.strong td{font-weight:bold}\
tbody th{font-weight:normal}\
dt{font-weight:bold;margin-top:.75rem}\
dd{margin:0}\
footer{color:#5b6773;font-size:.85rem;padding-top:1rem;padding-bottom:2rem}\
@media print{header{color:#000;background:none}h1,h2{break-after:avoid}figure,table,.tiles{break-inside:avoid}}";

/// Writes the page.
pub fn write_html(document: &Document) -> String {
    let mut html = String::new();
    let Document { language, kind, title, subtitle, mark, foot, .. } = document;
    let [kind, title, subtitle, mark, foot] =
        [kind, title, subtitle, mark, foot].map(|text| escape(text));
    put(
        &mut html,
        format_args!(
            "<!doctype html>\n<html lang=\"{language}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <title>{title} · {subtitle}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n\
         <header><div><p class=\"kind\"><span>{kind}</span><strong>{mark}</strong></p>\n<h1>{title}</h1>\n\
         <p>{subtitle}</p></div></header>\n<main>\n"
        ),
    );
    for (nth, block) in document.blocks.iter().enumerate() {
        write_block(&mut html, block, nth);
    }
    put(&mut html, format_args!("</main>\n<footer><p>{foot}</p></footer>\n</body>\n</html>\n"));
    html
}

fn write_block(html: &mut String, block: &Block, nth: usize) {
    match block {
        Block::Heading(words) => put(html, format_args!("<h2>{}</h2>\n", escape(words))),
        Block::Paragraph(words) => put(html, format_args!("<p>{}</p>\n", escape(words))),
        Block::Tiles(tiles) => write_tiles(html, tiles),
        Block::Picture(drawing) => {
            put(
                html,
                format_args!("<figure>{}</figure>\n", write_svg(drawing, &format!("chart-{nth}"))),
            );
        }
        Block::Table(table) => write_table(html, table),
        Block::Notes(notes) => {
            html.push_str("<dl>\n");
            for (subject, words) in notes {
                put(html, format_args!("<dt>{}</dt><dd>{}</dd>\n", escape(subject), escape(words)));
            }
            html.push_str("</dl>\n");
        }
    }
}

fn write_tiles(html: &mut String, tiles: &[Tile]) {
    html.push_str("<ul class=\"tiles\">\n");
    for Tile { figure, label, beside } in tiles {
        let [figure, label, beside] = [figure, label, beside].map(|text| escape(text));
        put(
            html,
            format_args!(
                "<li><strong>{figure}</strong><span>{label}</span><small>{beside}</small></li>\n"
            ),
        );
    }
    html.push_str("</ul>\n");
}

fn write_table(html: &mut String, table: &Table) {
    put(
        html,
        format_args!(
            "<div class=\"scroll\"><table>\n<caption>{}</caption>\n<thead><tr>",
            escape(&table.caption)
        ),
    );
    for cell in &table.head {
        put(html, format_args!("<th scope=\"col\">{}</th>", escape(cell)));
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        html.push_str(if row.is_strong { "<tr class=\"strong\">" } else { "<tr>" });
        for (nth, cell) in row.cells.iter().enumerate() {
            let cell = escape(cell);
            if nth == 0 {
                put(html, format_args!("<th scope=\"row\">{cell}</th>"));
            } else {
                put(html, format_args!("<td>{cell}</td>"));
            }
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody></table></div>\n");
}
