// Package observe shows what an environment does and says when somebody has to do something: logs, dashboard, alarms.
package observe
