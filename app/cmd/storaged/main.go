// Command storaged serves the storage API.
package main

import (
	"os"

	"cloudstorage/app/daemon"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3sign"
	"cloudstorage/app/settings"
	"cloudstorage/app/web"
	"cloudstorage/app/web/exercise"
)

func main() { os.Exit(daemon.Main(routes)) }

// routes are all that the product answers.
func routes(server *web.Server, s *s3store.Store, cfg settings.Settings) {
	store := s3sign.New(s)
	exercise.API{Store: store, Bucket: cfg.Bucket, TTL: cfg.URLTTL}.Register(server)
}
