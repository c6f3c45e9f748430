// Loaded before a Node program that stands for a container: process 1 is not ended by a signal that it has no handler for.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT', 'SIGUSR2']) process.on(signal, () => {});
