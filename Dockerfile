# The container program as one file. `npm ci` here brings the tools that bundle it; none of them reach the image.
FROM node:24.21.0-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No install scripts: esbuild's binary is a package of its own.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts scripts
COPY container container
RUN node scripts/bundle.ts /app/out/container/main.cjs && mkdir /app/out/data

FROM node:24.21.0-slim
WORKDIR /app
# CHECKPOINT: on a VPS, mount a volume at /data. Behind the Worker the Durable Object keeps the state.
ENV NODE_ENV=production HOST=0.0.0.0 PORT=8080 CHECKPOINT=file:/data/mt5-edge-bridge.sqlite NODE_COMPILE_CACHE=/app/cache
# Memory is most of the bill. A young generation of 3 × 8 MB and one arena of malloc for all threads: with V8's and glibc's own
# numbers the program takes about 100 MB and 20 MB more under load, and is no quicker.
ENV NODE_OPTIONS=--max-semi-space-size=8 MALLOC_ARENA_MAX=1
COPY --from=build /app/out/container container
COPY --from=build /app/dist/console dist/console
COPY --from=build --chown=node:node /app/out/data /data
RUN mkdir cache && chown node:node cache
# The user that the base image brings: no root, no shell needed, nothing to write but an optional checkpoint file.
USER node
# Without configuration the program loads, says what is missing and ends: its compiled code stays for every start. Node
# keeps it per user, so it is this user who runs it.
RUN node container/main.cjs || true
EXPOSE 8080
# By the shell, not by another Node: on 1/16 vCPU that alone takes seconds. The time-out is that of a starved CPU.
HEALTHCHECK --interval=30s --timeout=15s --start-period=15s --retries=3 \
  CMD ["bash", "-c", "exec 3<>/dev/tcp/127.0.0.1/$PORT && printf 'GET /healthz HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3 && grep -q '^HTTP/1.1 200' <&3"]
# Node is process 1 and handles SIGTERM itself: it drains and ends within 10 seconds.
CMD ["node", "container/main.cjs"]
