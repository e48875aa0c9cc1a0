package config

import "testing"

func TestTheBucketsLimitIsNotBelowTheAPIs(t *testing.T) {
	t.Parallel()
	mistakes(t, private, cases{
		"URLs dead when signed": {change{"max_url_ttl: 1h", "max_url_ttl: 5m"}, []string{"api.max_url_ttl: 5m0s is below url_ttl, 10m0s: the bucket would refuse the API's own URLs"}},
		"an age of 8 days":      {change{"max_url_ttl: 1h", "max_url_ttl: 192h"}, []string{"api.max_url_ttl: 192h0m0s is not whole seconds from 1s to 168h"}},
		"half a second":         {change{"max_url_ttl: 1h", "max_url_ttl: 1h0m0.5s"}, []string{"api.max_url_ttl: 1h0m0.5s is not whole seconds"}},
	})
}
