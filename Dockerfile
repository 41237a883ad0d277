# One image for every process of the farm; the argument says which: worker, dashboard, encode, …
#   docker build -t embedfarm . && docker run --rm -e REDIS_URL=redis://… embedfarm worker
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY . .
RUN --mount=type=cache,target=/root/.npm npm ci --no-audit --no-fund && node scripts/build.mjs
# Again, with what the command needs at run time and nothing else; the runtime comes with the libraries of
# every platform.
RUN --mount=type=cache,target=/root/.npm \
    npm pkg delete devDependencies --workspaces \
    && npm ci --no-audit --no-fund --omit=dev --workspace @embedfarm/cli \
    && rm -rf packages/*/src apps/*/src apps/*/page packages/testkit apps/bench scripts tests docs \
    && rm -rf node_modules/onnxruntime-node/bin/*/darwin node_modules/onnxruntime-node/bin/*/win32

FROM node:20-bookworm-slim
WORKDIR /app
ENV NODE_ENV=production EMBEDFARM_HOST=0.0.0.0 EMBEDFARM_CACHE_DIR=/home/node/.cache/embedfarm
COPY --from=build /app /app
USER node
EXPOSE 3000
ENTRYPOINT ["node", "apps/cli/bin/embedfarm.js"]
CMD ["--help"]
