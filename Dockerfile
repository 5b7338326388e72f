# A worker of if-coordinator: `serve`, for the NATS servers in IF_COORDINATOR_NATS_SERVERS.
FROM node:24-alpine AS build
WORKDIR /app
COPY package.json package-lock.json tsconfig.json ./
RUN npm ci --ignore-scripts
COPY src ./src
# The image runs src alone: without the tests and the scripts, which tsconfig.json includes.
RUN echo '{ "extends": "./tsconfig.json", "include": ["src"] }' > tsconfig.image.json && \
    npx tsc -p tsconfig.image.json

FROM node:24-alpine
WORKDIR /app
ENV NODE_ENV=production \
    IF_COORDINATOR_METRICS_HOST=0.0.0.0 \
    IF_COORDINATOR_LOG_FORMAT=json
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY --from=build /app/dist/src ./dist/src
# For `simulate` and `dev`.
COPY examples/provider-integration.json ./examples/
COPY nats-server.conf ./
USER node
EXPOSE 9090
# `health` uses the port that the environment or the configuration file sets.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
  CMD ["node", "dist/src/cli/main.js", "health"]
ENTRYPOINT ["node", "dist/src/cli/main.js"]
CMD ["serve"]
