# glibc on purpose: Temporal's core and DuckDB are native modules without a musl build.
FROM node:22.21.1-bookworm-slim AS build
WORKDIR /app
# Dependencies first, so that a change of code does not fetch them again. None of them needs its install script.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY scripts ./scripts
COPY src ./src
COPY sandbox ./sandbox
COPY web ./web
RUN npm run build && npm prune --omit=dev --ignore-scripts

FROM node:22.21.1-bookworm-slim
# The slim image has no CA certificates; Temporal's core takes them from the system for TLS.
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/*
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# A new named volume takes over the owner of the folder it is mounted on.
RUN install --directory --owner=node --group=node /data /scratch
USER node
ENTRYPOINT ["node", "dist/src/cli.js"]
CMD ["worker"]
