package v1

import "slices"

// operations are all that the API does.
func operations() []operation {
	return slices.Concat(
		listOperations(),
		fileOperations(),
		versionOperations(),
		copyOperations(),
		deleteOperations(),
		batchOperations(),
		uploadOperations(),
		formOperations(),
		linkOperations(),
		problemOperations(),
	)
}
