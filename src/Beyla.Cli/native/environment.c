// Runs before the .NET runtime, which reads its settings from the environment before the first line of C# does: limits and layout of the
// heap, the program to start after a crash. Whoever may execute an agent with capabilities chooses its environment, so none of that may be
// left to the caller. What the runtime gets is fixed when the agent is built (Beyla.Cli.csproj).
#include <stddef.h>
#include <string.h>
#include <strings.h>

extern char **environ;

static int steers_runtime(const char *variable)
{
	static const char *const prefixes[] = { "DOTNET_", "COMPlus_", "CORECLR_", "COREHOST_" };
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (strncasecmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
			return 1;
	return 0;
}

__attribute__((constructor)) static void forget_runtime_settings(void)
{
	char **kept = environ;
	if (!kept)
		return;
	for (char **variable = environ; *variable; variable++)
		if (!steers_runtime(*variable))
			*kept++ = *variable;
	*kept = NULL;
}
