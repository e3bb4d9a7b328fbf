# syntax=docker/dockerfile:1
# Forebay. Debian, because the binaries of uWebSockets.js need glibc; Node 22, the newest they exist for.
FROM node:22.23.3-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# What npm's postinstall runs.
COPY src/intake/platform.mjs src/intake/
RUN npm ci
COPY tsconfig.json ./
COPY src src
COPY workers workers
COPY k6/lib k6/lib
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:22.23.3-bookworm-slim
# The journal's writes share Node's helper threads with the handler's: four, unless told otherwise.
ENV NODE_ENV=production \
    UV_THREADPOOL_SIZE=16 \
    FOREBAY_DATA=/data \
    FOREBAY_ADMIN_HOST=0.0.0.0
WORKDIR /app
# A named volume takes over the owner of the folder that it is mounted on.
RUN install -d -o 1000 -g 1000 /data
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/workers dist/workers
COPY --from=build /app/dist/k6 dist/k6
COPY scripts/healthcheck.mjs scripts/
# node, as a number: Kubernetes' runAsNonRoot cannot look up a name.
USER 1000:1000
VOLUME /data
EXPOSE 3000 3001
# Alive, not ready: what kills an unhealthy container must not kill one that waits for NATS.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["node", "scripts/healthcheck.mjs", "/healthz"]
# As process 1, without an init: it handles SIGTERM and SIGINT itself and has threads, no children.
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]
