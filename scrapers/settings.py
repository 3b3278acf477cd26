"""Scrapy's settings: every component in its order, with the reason for its place. Read before any command runs."""

import gc
import sys

# Imports make objects that stay: each full collection among them looks at all of them for nothing. Not `gc.disable`,
# as some commands run long: a spider that opens sets it back (scrapers/core/spider.py).
gc.set_threshold(200_000, 10, 10)

from database.settings import DatabaseSettings, SettingsError, check_names, database_settings, read_command_line  # noqa: E402
from scrapers.core.compat import find_commands_late, format_logs_by  # noqa: E402
from scrapers.core.settings import CrawlSettings, crawl_settings  # noqa: E402

# The settings classes of every package; a LATCHKEY_ name that none of them has is reported as an error.
ROOMS = (
    "database.settings",
    "database.jobs.settings",
    "scrapers.core.settings",
    "scrapers.families.messaging.settings",
    "scrapers.families.prices.settings",
    "jobs.settings",
    "middlewares.settings",
    "pipelines.settings",
    "webhook.settings",
)
find_commands_late()
# Before any setting is read: Scrapy applies -s only after this module has been imported.
read_command_line(sys.argv[1:])
try:
    check_names(ROOMS)
    database_settings()
    crawl_settings()
except SettingsError as error:
    sys.exit(str(error))
if crawl_settings().log_format == "json":
    from scrapers.core.logs import JsonFormatter

    format_logs_by(JsonFormatter())  # before Scrapy makes its handler
for sentence in (*DatabaseSettings.differing(), *CrawlSettings.differing()):
    from scrapers.core.logs import as_line

    sys.stderr.write(f"{as_line(sentence)}\n")

BOT_NAME = "latchkey"
SPIDER_MODULES = ["scrapers.portals"]
NEWSPIDER_MODULE = "scrapers.portals"
SPIDER_LOADER_CLASS = (
    "scrapers.core.loader.PortalLoader"  # loads one portal, where Scrapy's loads every one at each start
)
COMMANDS_MODULE = "commands"

# --- Safety -----------------------------------------------------------------------------------------------------------
DOWNLOAD_VERIFY_CERTIFICATES = True  # Scrapy's default accepts any certificate
REMOTE_CONTROL_ENABLED = False  # Scrapy 2.19 opens a server that runs code by default
TELNETCONSOLE_ENABLED = False  # the same, older
ROBOTSTXT_OBEY = False  # we act for the account's owner, in the owner's customer area
COOKIES_DEBUG = False  # would print cookies
STATS_DUMP = False  # the `runs` table records what happened

# --- Pace -------------------------------------------------------------------------------------------------------------
# Requests that wait for a sign-in count as concurrent, so these are above our exact limit, which the handler keeps.
CONCURRENT_REQUESTS = crawl_settings().requests_in_flight * 2
CONCURRENT_REQUESTS_PER_DOMAIN = crawl_settings().requests_in_flight * 2
CONCURRENT_ITEMS = 8  # Scrapy makes that many tasks for every single answer: its 100 cost a millisecond each time
DOWNLOAD_DELAY = 0  # a spider states its portal's pace
DOWNLOAD_TIMEOUT = 180
RETRY_TIMES = 3  # four requests in all, for passing errors of the network and the server
RETRY_HTTP_CODES = [500, 502, 503, 504, 522, 524, 408]  # 429 is LimitsMiddleware's: it obeys Retry-After
RETRY_EXCEPTIONS = [  # what our handler raises; Scrapy's default also names its other handler, 0.2 s to import
    "scrapy.exceptions.CannotResolveHostError",
    "scrapy.exceptions.DownloadConnectionRefusedError",
    "scrapy.exceptions.DownloadFailedError",
    "scrapy.exceptions.DownloadTimeoutError",
    "scrapy.exceptions.ResponseDataLossError",
    OSError,
]

# --- Requests and responses -------------------------------------------------------------------------------------------
DOWNLOAD_HANDLERS = {
    "http": "middlewares.download.handler.FlowDownloadHandler",  # one instance for both: one browser, one pool, one limit
    "https": "middlewares.download.handler.FlowDownloadHandler",
    "visit": "middlewares.download.handler.FlowDownloadHandler",  # sent nowhere: the spider's visit is run with a client
    "ftp": None,
    "s3": None,
    "file": None,
    "data": None,
}
DOWNLOADER_MIDDLEWARES = {
    # Nearest to the engine: holds requests back before anything else is done for them.
    "middlewares.limits.LimitsMiddleware": 60,
    # Not in use here: their work on every request would be for nothing.
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "scrapy.downloadermiddlewares.httpauth.HttpAuthMiddleware": None,
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware": None,
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware": None,
    "scrapy.downloadermiddlewares.stats.DownloaderStats": None,
    # Nearer to the network than Retry (550), which would send a 503 that names a pause again at once.
    "middlewares.limits.RetryAfterMiddleware": 560,
    # Before AuthMiddleware: a visit's sign-in begins once there is a place for both in the browser.
    "middlewares.places.BrowserPlacesMiddleware": 645,
    # Between Redirect (600) and Cookies (700): sees the 302 to the sign-in page before it is followed and
    # de-duplicated, and sets the cookie jar before cookies are added.
    "middlewares.auth.AuthMiddleware": 650,
    # Moved from 590 to before AuthMiddleware on the way back: a sign-in page is recognised by its text.
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware": 675,
    # In the place of Scrapy's own, which fetches a list from the internet.
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware": None,
    "middlewares.cookies.CookiesMiddleware": 700,
    # After everything that may answer or drop a request: what is given a moment is sent.
    "middlewares.pace.PaceMiddleware": 940,
    # Nearest to the network: sees every single request, retries and sign-ins included.
    "middlewares.evidence.EvidenceMiddleware": 950,
}
SPIDER_MIDDLEWARES = {
    # It would drop requests without a word to their job; one component less handles each answer of a callback.
    "scrapy.spidermiddlewares.urllength.UrlLengthMiddleware": None,
}
REQUEST_FINGERPRINTER_CLASS = "middlewares.fingerprint.JobFingerprinter"  # one URL of two accounts is two requests

# --- Where items go ---------------------------------------------------------------------------------------------------
ITEM_PIPELINES = {
    "pipelines.validate.ValidatePipeline": 100,  # first: nothing is stored for a job that may not
    "pipelines.files.FilesPipeline": 200,  # the file is in its place …
    "pipelines.records.RecordsPipeline": 300,  # … before its row says so
    "pipelines.upload.UploadPipeline": 400,  # what is sent to the customer is stored before
    "pipelines.completeness.CompletenessPipeline": 900,  # last: what gets here is stored
}

# --- Scrapy itself ----------------------------------------------------------------------------------------------------
LOG_LEVEL = "WARNING"  # progress has a logger of its own
LOG_FORMATTER = "middlewares.logs.LogFormatter"  # Scrapy's prints whole items
TWISTED_REACTOR = "twisted.internet.asyncioreactor.AsyncioSelectorReactor"  # Playwright and aiohttp want asyncio
PLAYWRIGHT_PROCESS_REQUEST_HEADERS = None  # else form posts lose their Content-Type
# In the place of all of Scrapy's, because it imports also those that are switched off (remote control: 0.1 s).
EXTENSIONS_BASE = {
    "scrapy.extensions.corestats.CoreStats": 0,
    "scrapy.extensions.logcount.LogCount": 0,
    "scrapy.extensions.closespider.CloseSpider": 0,
    "pipelines.feeds.FeedExporter": 0,  # stays off without -o, -O or FEEDS
}
FEED_EXPORTERS = {"csv": "pipelines.exporters.CsvExporter"}  # a column for every field of every record
FEED_EXPORT_ENCODING = "utf-8"
