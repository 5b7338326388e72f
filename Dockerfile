# The worker of if-coordinator: `serve` against the NATS servers that IF_COORDINATOR_NATS_SERVERS names.
FROM node:22-alpine AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json ./
COPY src ./src
COPY scripts ./scripts
COPY test ./test
COPY examples ./examples
# Builds as well (the script `prepare`).
RUN npm ci

FROM node:22-alpine
WORKDIR /app
ENV NODE_ENV=production \
    IF_COORDINATOR_METRICS_HOST=0.0.0.0 \
    IF_COORDINATOR_LOG_FORMAT=json
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY --from=build /app/dist/src ./dist/src
USER node
EXPOSE 9090
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:9090/readyz').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["serve"]
