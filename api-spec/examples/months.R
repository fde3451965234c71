# Draws how many verified incidents each month had, by theme, from a Sentinelle feed.
#
#     SENTINELLE_FEED_KEY=snt_f_... Rscript months.R https://reports.example.org months.png
#
# The feed key (`sentinelle token add NAME --feed`, or POST /v1/tokens) only reads; keep it out of the script. Needs R
# and nothing else.

arguments <- commandArgs(trailingOnly = TRUE)
if (length(arguments) != 2) stop("usage: Rscript months.R SERVER PICTURE")
server <- sub("/$", "", arguments[1])

feed <- url(
  paste0(server, "/v1/aggregates.csv?by=month,theme&bom=0"),
  headers = c(Authorization = paste("Bearer", Sys.getenv("SENTINELLE_FEED_KEY"))),
  encoding = "UTF-8"
)
rows <- read.csv(feed, stringsAsFactors = FALSE, na.strings = "")

# A cell without a month holds incidents whose date is not known to the month; "total" counts each incident once, while
# one with categories of two themes is in two cells.
cells <- rows[rows$row == "cell", ]
total <- rows$incidents[rows$row == "total"]
undated <- sum(cells$incidents[is.na(cells$month)])
counts <- xtabs(incidents ~ month + theme, cells[!is.na(cells$month) & !is.na(cells$theme), ])

png(arguments[2], width = 1200, height = 540, res = 120, type = "cairo")
par(mar = c(5, 4, 3, 1))
matplot(counts, type = "l", lty = seq_len(ncol(counts)), lwd = 2, col = hcl.colors(ncol(counts), "Dark 3"),
        xaxt = "n", ylab = "incidents", ylim = c(0, max(counts)),
        main = sprintf("Verified incidents by month (%d in all, %d not dated to the month)", total, undated))
shown <- seq(1, nrow(counts), by = max(1, nrow(counts) %/% 12))
axis(1, at = shown, labels = rownames(counts)[shown], las = 2, cex.axis = 0.8)
legend("topleft", legend = colnames(counts), lty = seq_len(ncol(counts)), lwd = 2,
       col = hcl.colors(ncol(counts), "Dark 3"), bty = "n")
invisible(dev.off())
cat(sprintf("%d incidents, %d months: %s\n", total, nrow(counts), arguments[2]))
