package service

// help goes on where the help of every server ends.
const help = `
and, of this server alone:
  STORAGE_ACCESS           who may call: restricted (keys and tokens) or open (required)
  STORAGE_STATE_BUCKET     the bucket with the API's own state (required)
  STORAGE_OIDC             whose tokens are accepted beside keys, as JSON (nobody's)
  STORAGE_EXERCISE_ROUTES  all, read or none (all where access is open, else read)
  STORAGE_MAX_BODY         bytes that a PUT through the API takes (67108864)
  STORAGE_MAX_LINK_TTL     how long a share link lives at most (720h)
  STORAGE_WEB_ORIGINS      sites whose pages may call, with commas between (none)
  STORAGE_TRUSTED_PROXIES  blocks of addresses whose X-Forwarded-For is believed,
                           with commas between (none)
  STORAGE_RATE_LIMIT       requests a second of one caller, -1 for any number (100)
  STORAGE_MAX_CONCURRENCY  requests at once, -1 for any number (1024)
  STORAGE_METRICS_ADDRESS  where Prometheus asks (nowhere)
  OTEL_EXPORTER_OTLP_ENDPOINT
                           where traces go (nowhere)
`
