work=$(mktemp -d)
retry aws s3 cp --only-show-errors --region "$RELEASE_REGION" "s3://$RELEASE_BUCKET/$RELEASE_KEY" "$work/storaged"
# Nothing runs that is not the very build that was deployed.
echo "$RELEASE_SHA256  $work/storaged" | sha256sum --check --status || {
  say "s3://$RELEASE_BUCKET/$RELEASE_KEY is not the build with SHA-256 $RELEASE_SHA256"
  false
}
start "$work/storaged"
rm -r "$work"
