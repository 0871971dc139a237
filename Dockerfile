# Build:  docker build -t framerr .
# Run:    docker run -d --name framerr -p 3001:3001 -v framerr-config:/config framerr
# There is no VOLUME on purpose: an anonymous volume would hide that /config was not mounted. The appliance warns instead.
ARG BASE_IMAGE=python:3.11-slim-bookworm

# --- build: wheels only, so no compiler here either --------------------------------------------------------------------
FROM ${BASE_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY requirements.lock requirements-build.lock ./
RUN python3 -m venv /opt/venv \
 && /opt/venv/bin/pip install --require-hashes --only-binary=:all: -r requirements.lock \
 && python3 -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes --only-binary=:all: -r requirements-build.lock
COPY pyproject.toml README.md LICENSE ./
COPY framerr framerr
COPY static static
RUN /opt/build/bin/hatchling build -t wheel -d /tmp/wheel \
 && /opt/venv/bin/pip install --no-deps --no-index /tmp/wheel/*.whl \
 && /opt/venv/bin/pip uninstall -y pip setuptools

# --- image -------------------------------------------------------------------------------------------------------------
FROM ${BASE_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="Framerr" \
      org.opencontainers.image.description="A time machine for Framer sites that you host yourself" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# One arena per thread kept the memory of decoded pictures (measured); two give it back.
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2 \
    FRAMERR_CONFIG_DIR=/config
# hadolint ignore=DL3008
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini \
 && rm -rf /var/lib/apt/lists/* \
 && install -d -o 1000 -g 1000 /config
COPY --from=build /opt/venv /opt/venv
COPY --chmod=755 docker-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
RUN ln -s docker-entrypoint.sh /usr/local/bin/framerr
EXPOSE 3001
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["framerr", "health"]
ENTRYPOINT ["docker-entrypoint.sh"]
CMD ["framerr", "serve"]
