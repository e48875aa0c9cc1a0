package synth

import (
	"cloudstorage/app/settings"
	"cloudstorage/app/settings/apisettings"
	"cloudstorage/infra/bootstrap"
	"cloudstorage/infra/config"
)

// Settings are what the server of an environment is told: the one that is built from source knows fewer.
func Settings(e *config.Environment) bootstrap.Settings {
	base := settings.Settings{Bucket: e.Storage.Bucket, Region: e.Region, URLTTL: e.API.URLTTL, MaxURLTTL: e.API.MaxURLTTL}
	if e.Release.Delivery == config.Source {
		return apisettings.Settings{Settings: base, Access: e.API.Access, StateBucket: e.Storage.StateBucket, ExerciseRoutes: e.API.ExerciseRoutes}
	}
	whole := apisettings.Settings{
		Settings: base, Access: e.API.Access, StateBucket: e.Storage.StateBucket, OIDC: e.API.OIDC.Config(), ExerciseRoutes: e.API.ExerciseRoutes,
		MaxBody: int64(e.API.MaxBody), MaxLinkTTL: e.API.MaxLinkTTL, WebOrigins: e.Storage.WebOrigins, RateLimit: e.API.RateLimit,
		MaxConcurrency: e.API.MaxConcurrency, MetricsAddress: e.API.MetricsAddress, Traces: e.API.Traces,
	}
	if e.Network != nil {
		// The load balancer's addresses are in the public subnets, and nobody else says whom it speaks for.
		for _, s := range e.Network.Subnets {
			whole.TrustedProxies = append(whole.TrustedProxies, s.CIDR)
		}
	}
	return whole
}
