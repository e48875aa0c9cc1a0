package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"cloudstorage/app/auth"
	"cloudstorage/app/object"
	"cloudstorage/app/oidc"
	"cloudstorage/app/s3store"
	"cloudstorage/app/s3store/s3state"
	"cloudstorage/app/seal"
	"cloudstorage/app/settings/apisettings"
	"cloudstorage/app/state"
)

// own is what the API knows by itself.
type own struct {
	sealer      *seal.Sealer
	revocations *state.Revocations
	who         auth.Authenticator
}

// openState reads the state bucket, and goes on reading. A server that cannot
// would start well and then refuse everybody, so it does not start.
func (s service) openState(ctx context.Context, beside start, log *slog.Logger) (*own, error) {
	bucket, err := s3store.Open(ctx, s.bucket(s.cfg.StateBucket))
	if err != nil {
		return nil, err
	}
	objects := s3state.Objects{Store: bucket}
	o := &own{revocations: state.NewRevocations(objects, s.clock.Now)}
	if o.sealer, err = state.OpenSealer(ctx, objects); err != nil {
		return nil, s.explain(err)
	}
	if s.cfg.Access == apisettings.Open {
		log.Info("access is open: whoever reaches the port may do everything")
		o.who.Off = true
		return o, nil
	}
	keyring, err := state.OpenKeyring(ctx, objects, log)
	if err != nil {
		return nil, s.explain(err)
	}
	log.Info("access is restricted", "keys", len(keyring.Current().Keys()))
	o.who.Keys = keyring.Current
	beside(func(ctx context.Context) { keyring.Run(ctx, s.reread) })
	if s.cfg.OIDC != nil {
		issuer, err := oidc.New(*s.cfg.OIDC, log)
		if err != nil {
			return nil, err
		}
		log.Info("tokens are accepted beside keys", "issuer", s.cfg.OIDC.Issuer, "audience", s.cfg.OIDC.Audience)
		o.who.Issuer = issuer
		beside(issuer.Run)
	}
	return o, nil
}

// explain says which bucket failed, and the way out.
func (s service) explain(err error) error {
	err = fmt.Errorf("state bucket %s: %w", s.cfg.StateBucket, err)
	var stored *object.Error
	if !errors.As(err, &stored) {
		return err
	}
	var way string
	switch stored.Code {
	case object.CodeNotFound: // OpenSealer makes what it does not find
		way = fmt.Sprintf(`write %s there, as deploying the environment does: {"keys":[]} lets nobody in, and 'storagectl key new --json' makes a key for it`, state.KeyringName)
	case object.CodeDenied: // S3 also says so of what is not there, to who may not list
		way = fmt.Sprintf("grant the server's role s3:ListBucket on the bucket, s3:GetObject on all that is in it, and s3:PutObject on %s and %s*",
			state.SealingKeyName, state.RevocationsPrefix)
	case object.CodeInternal:
		way = fmt.Sprintf("create the bucket in %s, or correct %s", s.cfg.Region, apisettings.EnvStateBucket)
	default:
		return err
	}
	return fmt.Errorf("%w: %s", err, way)
}
