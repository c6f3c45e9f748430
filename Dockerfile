# The container program as one file. `npm ci` here brings the tools that bundle it; none of them reach the image.
FROM node:24.21.0-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# No install scripts: esbuild's binary is a package of its own.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json ./
COPY scripts scripts
COPY container container
RUN node scripts/bundle.ts /app/out/container/main.js

FROM node:24.21.0-slim
WORKDIR /app
ENV NODE_ENV=production PORT=8080
COPY --from=build /app/out/container container
# The user that the base image brings: no root, no shell needed, nothing to write but an optional checkpoint file.
USER node
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=10s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.PORT + '/healthz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
# Node is process 1 and handles SIGTERM itself: it drains and ends within 10 seconds.
CMD ["node", "container/main.js"]
