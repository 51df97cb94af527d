FROM docker.io/library/rust:1-bookworm AS build
WORKDIR /src
COPY . .
# Locked, because cargo's own lock lies outside of what is cached. The touch makes cargo compile these sources even if the
# cache is newer than their time stamps; that of the result must not differ from one build to the next.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    touch src/*.rs && \
    cargo build --release --locked --bin coroner && \
    cp target/release/coroner /coroner && \
    touch --date=@0 /coroner

# The C library, certificates for Slack, an unprivileged user: no shell.
FROM gcr.io/distroless/cc-debian12:nonroot
ARG VERSION=dev
ARG REVISION=unknown
LABEL org.opencontainers.image.title="coroner" \
      org.opencontainers.image.description="Says why a Kubernetes pod died: the line, the frame and the proof" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="gcr.io/distroless/cc-debian12:nonroot"
COPY --from=build /coroner /coroner
# By number, so that the kubelet can tell that it is not root.
USER 65532:65532
EXPOSE 8080
# One heap for all threads, and what is free goes back: a list read once would be held for ever in the heap of each thread.
ENV MALLOC_ARENA_MAX=1 \
    MALLOC_TRIM_THRESHOLD_=65536 \
    MALLOC_MMAP_THRESHOLD_=65536
ENTRYPOINT ["/coroner"]
CMD ["operator"]
