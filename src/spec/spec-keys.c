/* SPDX-License-Identifier: MIT */
#include "spec/spec-keys.h"

#define FIELD(key, how, member)                                                                    \
	{                                                                                          \
		.name = (key), .kind = &(how), .use = KEY_USED,                                    \
		.offset = offsetof(struct spec, member)                                            \
	}
#define LIMIT(key, resource)                                                                       \
	{                                                                                          \
		.name = (key), .kind = &kind_rlimit, .use = KEY_USED, .arg = (resource)            \
	}
/* Checked, kept as text, and read from there by whoever it concerns (jail/policy.c,
 * jail/hardening.c, jail/resources.c). */
#define READ(key, how)                                                                             \
	{                                                                                          \
		.name = (key), .kind = &(how), .use = KEY_USED                                     \
	}
#define KEPT(key, how)                                                                             \
	{                                                                                          \
		.name = (key), .kind = &(how), .use = KEY_KEPT                                     \
	}
#define HAS(key, why)                                                                              \
	{                                                                                          \
		.name = (key), .kind = &kept_text, .use = KEY_REDUNDANT, .text = (why)             \
	}
#define UNIT(key) HAS(key, "it stays with the unit: the init system that starts the jail does it")
#define NOT(key, why)                                                                              \
	{                                                                                          \
		.name = (key), .kind = &kept_text, .use = KEY_NOT_TAKEN, .text = (why)             \
	}
#define OLD(key, new_name)                                                                         \
	{                                                                                          \
		.name = (key), .same_as = (new_name)                                               \
	}
/* A key of our own, with what it means and a value for the commented file. */
#define OURS(key, how, member, meaning, value)                                                     \
	{                                                                                          \
		.name = (key), .kind = &(how), .use = KEY_USED,                                    \
		.offset = offsetof(struct spec, member), .text = (meaning), .example = (value)     \
	}

/* Every directive that systemd 252 knows in [Service] (systemd.service(5), systemd.exec(5),
 * systemd.kill(5), systemd.resource-control(5)), sorted by strcmp(). */
static const struct spec_key service_keys[] = {
    /* clang-format off */
	KEPT("AllowedCPUs", kept_text),
	KEPT("AllowedMemoryNodes", kept_text),
	READ("AmbientCapabilities", kept_capabilities),
	KEPT("AppArmorProfile", kept_named_text),
	UNIT("BPFProgram"),
	FIELD("BindPaths", kind_binds, bind_paths),
	FIELD("BindReadOnlyPaths", kind_binds, bind_read_only_paths),
	UNIT("BlockIOAccounting"),
	KEPT("BlockIODeviceWeight", kept_list),
	KEPT("BlockIOReadBandwidth", kept_list),
	KEPT("BlockIOWeight", kept_text),
	KEPT("BlockIOWriteBandwidth", kept_list),
	NOT("BusName", "no bus is watched; the service is ready as Type=simple is"),
	UNIT("CPUAccounting"),
	KEPT("CPUAffinity", kept_list),
	READ("CPUQuota", kept_quota),
	READ("CPUQuotaPeriodSec", kept_time),
	KEPT("CPUSchedulingPolicy", kept_text),
	KEPT("CPUSchedulingPriority", kept_text),
	KEPT("CPUSchedulingResetOnFork", kept_bool),
	KEPT("CPUShares", kept_text),
	READ("CPUWeight", kept_weight),
	FIELD("CacheDirectory", kind_dirs, cache_dirs.names),
	FIELD("CacheDirectoryMode", kind_mode, cache_dirs.mode),
	READ("CapabilityBoundingSet", kept_capabilities),
	FIELD("ConfigurationDirectory", kind_dirs, configuration_dirs.names),
	FIELD("ConfigurationDirectoryMode", kind_mode, configuration_dirs.mode),
	HAS("CoredumpFilter", "core dumps are off in a jail"),
	KEPT("DefaultMemoryLow", kept_size),
	KEPT("DefaultMemoryMin", kept_size),
	UNIT("Delegate"),
	HAS("DeviceAllow", "a jail has a /dev of a few nodes"),
	HAS("DevicePolicy", "a jail has a /dev of a few nodes"),
	UNIT("DisableControllers"),
	KEPT("DynamicUser", kept_bool),
	FIELD("Environment", kind_environment, environment),
	FIELD("EnvironmentFile", kind_env_file, environment_files),
	UNIT("ExecCondition"),
	READ("ExecPaths", kept_paths),
	FIELD("ExecReload", kind_exec, reload),
	KEPT("ExecSearchPath", kept_named_list),
	FIELD("ExecStart", kind_exec, start),
	FIELD("ExecStartPost", kind_exec, start_post),
	FIELD("ExecStartPre", kind_exec, start_pre),
	FIELD("ExecStop", kind_exec, stop),
	FIELD("ExecStopPost", kind_exec, stop_post),
	NOT("ExitType", "immure follows the main process; the jail ends with it"),
	NOT("ExtensionDirectories", "a jail is a root of its own; name its paths as the host does"),
	NOT("ExtensionImages", "a jail is a root of its own; name its paths as the host does"),
	UNIT("FailureAction"),
	UNIT("FileDescriptorStoreMax"),
	KEPT("FinalKillSignal", kept_signal),
	FIELD("Group", kind_account, group),
	HAS("GuessMainPID", "the init of the jail knows each of its processes"),
	UNIT("IOAccounting"),
	KEPT("IODeviceLatencyTargetSec", kept_list),
	KEPT("IODeviceWeight", kept_list),
	KEPT("IOReadBandwidthMax", kept_list),
	KEPT("IOReadIOPSMax", kept_list),
	KEPT("IOSchedulingClass", kept_text),
	KEPT("IOSchedulingPriority", kept_text),
	READ("IOWeight", kept_weight),
	KEPT("IOWriteBandwidthMax", kept_list),
	KEPT("IOWriteIOPSMax", kept_list),
	UNIT("IPAccounting"),
	FIELD("IPAddressAllow", kind_ranges, ip_allow),
	FIELD("IPAddressDeny", kind_ranges, ip_deny),
	NOT("IPCNamespacePath", "a jail has an IPC namespace of its own"),
	UNIT("IPEgressFilterPath"),
	UNIT("IPIngressFilterPath"),
	FIELD("IgnoreSIGPIPE", kind_bool, ignore_sigpipe),
	OLD("InaccessibleDirectories", "InaccessiblePaths"),
	READ("InaccessiblePaths", kept_paths),
	HAS("KeyringMode", "a jail has a session keyring of its own"),
	KEPT("KillMode", kept_text),
	FIELD("KillSignal", kind_signal, kill_signal),
	LIMIT("LimitAS", RLIMIT_AS),
	LIMIT("LimitCORE", RLIMIT_CORE),
	LIMIT("LimitCPU", RLIMIT_CPU),
	LIMIT("LimitDATA", RLIMIT_DATA),
	LIMIT("LimitFSIZE", RLIMIT_FSIZE),
	LIMIT("LimitLOCKS", RLIMIT_LOCKS),
	LIMIT("LimitMEMLOCK", RLIMIT_MEMLOCK),
	LIMIT("LimitMSGQUEUE", RLIMIT_MSGQUEUE),
	LIMIT("LimitNICE", RLIMIT_NICE),
	LIMIT("LimitNOFILE", RLIMIT_NOFILE),
	LIMIT("LimitNPROC", RLIMIT_NPROC),
	LIMIT("LimitRSS", RLIMIT_RSS),
	LIMIT("LimitRTPRIO", RLIMIT_RTPRIO),
	LIMIT("LimitRTTIME", RLIMIT_RTTIME),
	LIMIT("LimitSIGPENDING", RLIMIT_SIGPENDING),
	LIMIT("LimitSTACK", RLIMIT_STACK),
	KEPT("LoadCredential", kept_named_list),
	KEPT("LoadCredentialEncrypted", kept_named_list),
	HAS("LockPersonality", "no jail may change its personality(2)"),
	UNIT("LogExtraFields"),
	UNIT("LogLevelMax"),
	UNIT("LogNamespace"),
	FIELD("LogRateLimitBurst", kind_count, log_burst),
	FIELD("LogRateLimitIntervalSec", kind_log_interval, log_interval),
	FIELD("LogsDirectory", kind_dirs, logs_dirs.names),
	FIELD("LogsDirectoryMode", kind_mode, logs_dirs.mode),
	UNIT("ManagedOOMMemoryPressure"),
	UNIT("ManagedOOMMemoryPressureLimit"),
	UNIT("ManagedOOMPreference"),
	UNIT("ManagedOOMSwap"),
	UNIT("MemoryAccounting"),
	READ("MemoryDenyWriteExecute", kept_bool),
	READ("MemoryHigh", kept_size),
	KEPT("MemoryLimit", kept_size),
	READ("MemoryLow", kept_size),
	READ("MemoryMax", kept_size),
	READ("MemoryMin", kept_size),
	READ("MemorySwapMax", kept_size),
	HAS("MountAPIVFS", "a jail has /proc and /dev of its own"),
	HAS("MountFlags", "a jail has a mount namespace of its own"),
	NOT("MountImages", "a jail is a root of its own; name its paths as the host does"),
	KEPT("NUMAMask", kept_text),
	KEPT("NUMAPolicy", kept_text),
	KEPT("NetworkNamespacePath", kept_named_text),
	FIELD("Nice", kind_nice, nice),
	READ("NoExecPaths", kept_paths),
	READ("NoNewPrivileges", kept_bool),
	UNIT("NonBlocking"),
	FIELD("NotifyAccess", kind_notify_access, notify_access),
	UNIT("OOMPolicy"),
	FIELD("OOMScoreAdjust", kind_oom, oom_score_adjust),
	NOT("PAMName", "no PAM session is opened"),
	FIELD("PIDFile", kind_pid_file, pid_file),
	NOT("PassEnvironment", "the environment comes from the spec alone: use Environment="),
	NOT("PermissionsStartOnly", "write \"+\" before the command that needs root"),
	KEPT("Personality", kept_text),
	HAS("PrivateDevices", "a jail has a /dev of a few nodes"),
	HAS("PrivateIPC", "a jail has an IPC namespace of its own"),
	HAS("PrivateMounts", "a jail has a mount namespace of its own"),
	READ("PrivateNetwork", kept_bool),
	HAS("PrivateTmp", "a jail has /tmp and /var/tmp of its own"),
	FIELD("PrivateUsers", kind_bool, private_users),
	READ("ProcSubset", kept_text),
	READ("ProtectClock", kept_bool),
	HAS("ProtectControlGroups", "a jail has no tree of control groups"),
	HAS("ProtectHome", "a jail holds nothing of a home that is not needed"),
	READ("ProtectHostname", kept_bool),
	READ("ProtectKernelLogs", kept_bool),
	HAS("ProtectKernelModules", "no jail may load modules"),
	HAS("ProtectKernelTunables", "the kernel's settings are read-only in a jail"),
	HAS("ProtectProc", "a jail's /proc has its own processes alone, and for each user but root his own"),
	HAS("ProtectSystem", "a jail is read-only but for its state"),
	OLD("ReadOnlyDirectories", "ReadOnlyPaths"),
	READ("ReadOnlyPaths", kept_paths),
	OLD("ReadWriteDirectories", "ReadWritePaths"),
	FIELD("ReadWritePaths", kind_rw_paths, read_write_paths),
	UNIT("RebootArgument"),
	FIELD("RemainAfterExit", kind_bool, remain_after_exit),
	HAS("RemoveIPC", "the IPC namespace goes with the jail"),
	FIELD("Restart", kind_restart, restart),
	FIELD("RestartForceExitStatus", kind_exits, restart_always),
	UNIT("RestartKillSignal"),
	FIELD("RestartMaxDelaySec", kind_timeout, restart_delay_max),
	FIELD("RestartPreventExitStatus", kind_exits, restart_not),
	FIELD("RestartSec", kind_timeout, restart_delay),
	FIELD("RestartSteps", kind_count, restart_steps),
	READ("RestrictAddressFamilies", kept_list),
	KEPT("RestrictFileSystems", kept_list),
	READ("RestrictNamespaces", kept_list),
	KEPT("RestrictNetworkInterfaces", kept_list),
	READ("RestrictRealtime", kept_bool),
	READ("RestrictSUIDSGID", kept_bool),
	NOT("RootDirectory", "a jail is a root of its own; name its paths as the host does"),
	NOT("RootDirectoryStartOnly", "the jail is the root, for all commands"),
	NOT("RootHash", "a jail is a root of its own; name its paths as the host does"),
	NOT("RootHashSignature", "a jail is a root of its own; name its paths as the host does"),
	NOT("RootImage", "a jail is a root of its own; name its paths as the host does"),
	NOT("RootImageOptions", "a jail is a root of its own; name its paths as the host does"),
	NOT("RootVerity", "a jail is a root of its own; name its paths as the host does"),
	FIELD("RuntimeDirectory", kind_dirs, runtime_dirs.names),
	FIELD("RuntimeDirectoryMode", kind_mode, runtime_dirs.mode),
	KEPT("RuntimeDirectoryPreserve", kept_text),
	UNIT("RuntimeMaxSec"),
	UNIT("RuntimeRandomizedExtraSec"),
	KEPT("SELinuxContext", kept_named_text),
	KEPT("SecureBits", kept_text),
	KEPT("SendSIGHUP", kept_bool),
	KEPT("SendSIGKILL", kept_bool),
	KEPT("SetCredential", kept_named_list),
	KEPT("SetCredentialEncrypted", kept_named_list),
	UNIT("Slice"),
	KEPT("SmackProcessLabel", kept_named_text),
	FIELD("SocketBindAllow", kind_bind_rules, bind_allow),
	FIELD("SocketBindDeny", kind_bind_rules, bind_deny),
	UNIT("Sockets"),
	UNIT("StandardError"),
	UNIT("StandardInput"),
	UNIT("StandardInputData"),
	UNIT("StandardInputText"),
	UNIT("StandardOutput"),
	UNIT("StartLimitAction"),
	FIELD("StartLimitBurst", kind_count, start_limit_burst),
	OLD("StartLimitInterval", "StartLimitIntervalSec"),
	FIELD("StartLimitIntervalSec", kind_timeout, start_limit_interval),
	UNIT("StartupAllowedCPUs"),
	UNIT("StartupAllowedMemoryNodes"),
	UNIT("StartupBlockIOWeight"),
	UNIT("StartupCPUShares"),
	UNIT("StartupCPUWeight"),
	UNIT("StartupIOWeight"),
	FIELD("StateDirectory", kind_dirs, state_dirs.names),
	FIELD("StateDirectoryMode", kind_mode, state_dirs.mode),
	FIELD("SuccessExitStatus", kind_exits, success),
	FIELD("SupplementaryGroups", kind_accounts, supplementary_groups),
	UNIT("SyslogFacility"),
	UNIT("SyslogIdentifier"),
	UNIT("SyslogLevel"),
	UNIT("SyslogLevelPrefix"),
	READ("SystemCallArchitectures", kept_list),
	NOT("SystemCallErrorNumber", "a call that SystemCallFilter= takes is refused with EPERM"),
	READ("SystemCallFilter", kept_list),
	KEPT("SystemCallLog", kept_list),
	UNIT("TTYColumns"),
	UNIT("TTYPath"),
	UNIT("TTYReset"),
	UNIT("TTYRows"),
	UNIT("TTYVHangup"),
	UNIT("TTYVTDisallocate"),
	UNIT("TasksAccounting"),
	READ("TasksMax", kept_size),
	KEPT("TemporaryFileSystem", kept_named_list),
	UNIT("TimeoutAbortSec"),
	UNIT("TimeoutCleanSec"),
	FIELD("TimeoutSec", kind_timeouts, timeout_start),
	UNIT("TimeoutStartFailureMode"),
	FIELD("TimeoutStartSec", kind_timeout, timeout_start),
	UNIT("TimeoutStopFailureMode"),
	FIELD("TimeoutStopSec", kind_timeout, timeout_stop),
	KEPT("TimerSlackNSec", kept_text),
	FIELD("Type", kind_type, type),
	FIELD("UMask", kind_mode, umask),
	UNIT("USBFunctionDescriptors"),
	UNIT("USBFunctionStrings"),
	FIELD("UnsetEnvironment", kind_unset, unset_environment),
	FIELD("User", kind_account, user),
	UNIT("UtmpIdentifier"),
	UNIT("UtmpMode"),
	FIELD("WatchdogSec", kind_timeout, watchdog),
	UNIT("WatchdogSignal"),
	FIELD("WorkingDirectory", kind_dir, working_directory),
    /* clang-format on */
};

/* In the order in which the commented file has them. */
static const struct spec_key jail_keys[] = {
    OURS("State", kind_jail_paths, state,
	 "directories with the service's data: the host's, bound read-write", "/var/lib/NAME"),
    OURS("Content", kind_jail_paths, content,
	 "directories the service serves: the host's, bound read-only", "/srv/www"),
    OURS("Config", kind_jail_paths, config,
	 "its configuration: directories bound read-only, files copied", "/etc/NAME"),
    OURS("Secret", kind_jail_paths, secret, "keys and passwords it may read, copied, mode kept",
	 "/etc/ssl/private/NAME.key"),
    OURS("Offer", kind_jail_paths, offer,
	 "directories where it leaves sockets and pid files for others", "/run/NAME"),
    OURS("Include", kind_included, include, "files, trees and packages to take whether used or not",
	 "/usr/share/NAME"),
    OURS("Socket", kind_sockets, sockets,
	 "sockets of other services that it tries to reach: PATH=bind (it may), refuse, ignore",
	 "/run/mysqld/mysqld.sock=bind"),
    OURS("Shared", kind_shared, shared,
	 "whose a directory is that jails share by name (BindPaths=@LABEL:/path), and its mode",
	 "mqueue=NAME:NAME:2770"),
    OURS(
	"Sample", kind_samples, sample,
	"what a build runs on in the place of a state directory: DIR=PATH, DIR=empty, DIR=snapshot "
	"(btrfs), DIR=live (as it is, though somebody writes in it)",
	"/var/lib/NAME=empty"),
    OURS("Direct", kind_bool, direct,
	 "start what the command ends in, and leave the files of its start wrapper out", "no"),
    OURS("SelfChroot", kind_jail_path, self_chroot,
	 "where the service changes its root to by itself", "/var/spool/NAME"),
    OURS("Closure", kind_closure, closure,
	 "what nobody used in the exercise but was foreseen: exact (leave out), foreseen, package",
	 "foreseen"),
    OURS("Net", kind_net, net, "the network of a build: private, or host (riskier)", "private"),
    OURS("Accounts", kind_accounts_mode, accounts,
	 "users and groups in the jail: needed (a copy), or live (the host's, for mail and logins)",
	 "needed"),
    OURS("Unit", kind_unit, unit, "the unit that it was made from, and whose place it takes",
	 "NAME.service"),
    OURS("Update", kind_update, update,
	 "after an upgrade: restart (build, prove, restart), build, notify", "restart"),
    OURS("Rights", kind_rights, rights,
	 "what the service may do though no run saw it: CAP_X, CALL(), AF_X, tcp:PORT ...",
	 "CAP_CHOWN tcp:8080"),
    OURS("Require", kind_require, require, "walls without which the jail must not start",
	 "landlock-net"),
    OURS("ConnectTo", kind_peers, connect_to,
	 "whom it may call: addresses, ranges, localhost, none; clients come from anywhere",
	 "localhost 192.0.2.0/24"),
    OURS("Listen", kind_listen, listen,
	 "sockets that are opened for it and handed over (LISTEN_FDS): tcp:, udp:, unix:",
	 "tcp:0.0.0.0:80 unix:/run/NAME.sock"),
    OURS("Accept", kind_bool, accept,
	 "a process for each connection to the first of them, on its standard descriptors (inetd)",
	 "no"),
    OURS("Syslog", kind_syslog, syslog,
	 "where its /dev/log leads: host, none, daemon (one that listens for it), file:/PATH, "
	 "tcp:HOST:PORT",
	 "host"),
    OURS("SyslogSocket", kind_log_socket, syslog_socket,
	 "what its /dev/log is: datagram, or stream", "datagram"),
    OURS("SyslogBuffer", kind_log_buffer, syslog_buffer,
	 "how much of what it logs waits while nobody takes it, in bytes (64K to 1G)", "16M"),
    OURS("ConfigTest", kind_config_test, config_test,
	 "a command that must succeed in the jail before a reload or restart", "/usr/sbin/NAME -t"),
};

static const struct spec_key exercise_keys[] = {
    OURS("Ready", kind_ready, ready, "a shell command that succeeds once the service answers",
	 "nc -z 127.0.0.1 80"),
    OURS("Command", kind_commands, exercise,
	 "shell commands, in order; each one's output and status are compared",
	 "curl -s http://127.0.0.1/"),
    OURS("Compare", kind_compare, compare,
	 "exact (byte for byte), or shape (digits and dates may differ)", "exact"),
    OURS("Environment", kind_exercise_environment, exercise_environment,
	 "variables for these commands", "LANG=C.UTF-8"),
    OURS("Timeout", kind_step_timeout, exercise_timeout, "how long a command may take", "60"),
};

const struct spec_key *spec_keys(enum spec_section section, size_t *ret_n)
{
	static const struct {
		const struct spec_key *rows;
		size_t n;
	} tables[] = {
	    [SPEC_SERVICE] = {service_keys, ARRAY_LEN(service_keys)},
	    [SPEC_JAIL] = {jail_keys, ARRAY_LEN(jail_keys)},
	    [SPEC_EXERCISE] = {exercise_keys, ARRAY_LEN(exercise_keys)},
	};

	*ret_n = tables[section].n;
	return tables[section].rows;
}

static const struct spec_key *find(enum spec_section section, const char *name)
{
	size_t n;
	const struct spec_key *rows = spec_keys(section, &n);

	for (size_t i = 0; i < n; i++)
		if (streq(rows[i].name, name))
			return &rows[i];
	return NULL;
}

const struct spec_key *spec_key_find(enum spec_section section, const char *name)
{
	const struct spec_key *k = find(section, name);
	return k && k->same_as ? find(section, k->same_as) : k;
}
