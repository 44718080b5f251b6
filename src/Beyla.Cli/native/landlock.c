// What files the worker may still reach, however it is steered (Landlock, Documentation/userspace-api/landlock.rst): it reads what is
// listed here, and writes, makes, removes, cuts and executes nothing. What is open already stays usable as it was opened. Every thread has
// it, because none runs yet.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "split.h"

// include/uapi/linux/landlock.h, spelled out: the header of the machine that builds may be older than the kernel that runs.
enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446, ASK_VERSION = 1, PATH_BENEATH = 1 };
#define WRITE_FILE (1ULL << 1)
#define READ_FILE (1ULL << 2)
#define READ_DIR (1ULL << 3)
#define SCOPE_ABSTRACT_SOCKETS 1ULL
#define SCOPE_SIGNALS 2ULL

struct ruleset {
	uint64_t files, network, scopes;
};

struct __attribute__((packed)) beneath {
	uint64_t allowed;
	int32_t parent;
};

static int abi;

int beyla_landlock_abi(void) { return abi; }

// Directories with all that is beneath, and files. A file that is replaced later is another file, which is refused: of the resolver's
// configuration the directories are here in which the usual programs replace it.
static const char *const readable[] = {
	// Processes (no file of another one that needs ptrace's right, see below); the runtime asks for limits, processors and their caches.
	"/proc", "/sys/devices", "/sys/fs/cgroup", "/dev/urandom",
	// Libraries and what finds them: modules of the name service are loaded when the first name is asked for.
	"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache",
	// The time zone, and the configuration of the name service.
	"/etc/localtime", "/usr/share/zoneinfo", "/etc/nsswitch.conf", "/etc/resolv.conf", "/etc/hosts", "/etc/host.conf", "/etc/gai.conf",
	"/etc/services", "/run/systemd/resolve", "/run/resolvconf", "/run/NetworkManager",
	// What the host is called where telemetry is sent.
	"/etc/machine-id", "/var/lib/dbus/machine-id",
	// Public certificates and the settings of OpenSSL, where Debian, Fedora, SUSE and Arch have them. Not their private neighbours: modes alone
	// do not keep those from a worker that stays user 0.
	"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/openssl.cnf", "/etc/ssl/openssl.cnf.d",
	"/usr/share/ca-certificates", "/usr/local/share/ca-certificates", "/etc/ca-certificates", "/var/lib/ca-certificates",
	"/etc/pki/ca-trust", "/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/tls/openssl.cnf", "/etc/pki/tls/openssl.d",
	"/etc/crypto-policies", "/usr/share/crypto-policies",
};

// What is not there, or cannot be allowed, stays refused.
static void allow(int ruleset, const char *path, uint64_t rights)
{
	struct stat status;
	int fd = open(path, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &status) == 0) {
		struct beneath rule = { .allowed = rights | (S_ISDIR(status.st_mode) ? READ_DIR : 0), .parent = fd };
		(void)!syscall(ADD_RULE, ruleset, PATH_BENEATH, &rule, 0);
	}
	close(fd);
}

// All rights to files that this version of the interface knows, so that all are refused where no rule gives them. A process in such a
// domain also has no right of ptrace to any outside (/proc/PID/exe, environ, maps and fd of the same user's other processes among them),
// and mounts nothing.
static uint64_t all_rights(long version)
{
	int count = version >= 5 ? 16 : version >= 3 ? 15 : version >= 2 ? 14 : 13;
	return (1ULL << count) - 1;
}

void confine_files(void)
{
	long version = syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);
	if (version < 1)
		return;
	// An older kernel takes the longer structure as long as what it does not know is zero.
	struct ruleset all = { .files = all_rights(version), .scopes = version >= 6 ? SCOPE_ABSTRACT_SOCKETS | SCOPE_SIGNALS : 0 };
	int ruleset = (int)syscall(CREATE_RULESET, &all, sizeof(all), 0);
	if (ruleset < 0)
		return;
	allow(ruleset, "/dev/null", READ_FILE | WRITE_FILE);
	for (size_t i = 0; i < sizeof(readable) / sizeof(readable[0]); i++)
		allow(ruleset, readable[i], READ_FILE);
	if (syscall(RESTRICT_SELF, ruleset, 0) == 0)
		abi = (int)version;
	close(ruleset);
}
