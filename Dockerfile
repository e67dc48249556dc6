# The command line as an image: docker build -t grok . && docker run --rm -v grok-runs:/runs grok doctor
FROM node:22.21-bookworm-slim AS build
WORKDIR /source
COPY . .
# Packed as they are published, so that the image holds what npm would install.
RUN npm run -s setup && npm run -s build && node scripts/release-dry.mjs --out /packages

FROM node:22.21-bookworm-slim AS install
WORKDIR /app
COPY --from=build /packages /packages
# The native backend, which a bare installation leaves out. CPU binaries are in the package; its script would only fetch CUDA's.
RUN rm /packages/grok-testing-*.tgz && npm init -y \
  && ONNXRUNTIME_NODE_INSTALL=skip npm install --omit=dev --no-audit --no-fund /packages/*.tgz onnxruntime-node@1.30.0

FROM node:22.21-bookworm-slim
# Nothing is sent anywhere; the backend turns this off itself, here it is seen from outside.
ENV NODE_ENV=production ORT_DISABLE_TELEMETRY=1
COPY --from=install /app /app
RUN mkdir /runs && chown node:node /runs
USER node
WORKDIR /runs
VOLUME ["/runs"]
ENTRYPOINT ["node", "/app/node_modules/@grok/cli/dist/cli.js"]
CMD ["--help"]
