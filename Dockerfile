# syntax=docker/dockerfile:1
# Debian, because the binaries of uWebSockets.js need glibc. Node 22, because there are none for newer versions.
FROM node:22.23.3-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# npm runs this file after npm ci.
COPY src/intake/uws/platform.mjs src/intake/uws/
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY workers workers
COPY scripts/vendor-lmdb.mjs scripts/
RUN npm run build:package && npm prune --omit=dev --include=prod --ignore-scripts

FROM node:22.23.3-bookworm-slim
# The journal and the handler share the helper threads of Node, of which there are only four by default.
ENV NODE_ENV=production \
    UV_THREADPOOL_SIZE=16 \
    FOREBAY_DATA=/data \
    FOREBAY_ADMIN_HOST=0.0.0.0
WORKDIR /app
# A named volume takes the owner of the folder where it is mounted.
RUN install -d -o 1000 -g 1000 /data
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist/node_modules dist/node_modules
COPY --from=build /app/dist/src dist/src
COPY --from=build /app/dist/workers dist/workers
# The files of the live page that are served as they are.
COPY src/admin/page/index.html src/admin/page/login.html src/admin/page/page.css src/admin/page/login.css src/admin/page/drain-control.css src/admin/page/icon.svg src/admin/page/
# The user node, as a number, because runAsNonRoot of Kubernetes cannot look up a name.
USER 1000:1000
VOLUME /data
EXPOSE 3000 3001
# Finds the admin port that the server has, however it was set. Asks whether it is alive, not whether it is ready: a container that waits for NATS must not be killed as unhealthy.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["node", "dist/src/main.js", "health"]
# Needs no init as process 1: it handles SIGTERM and SIGINT itself and starts no child processes.
ENTRYPOINT ["node", "dist/src/main.js"]
CMD ["serve"]
