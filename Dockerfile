# One image for every piece: api, worker and the one-shot migrations differ by their command only.
FROM python:3.11-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
RUN python -m venv /opt/ordertrail
COPY requirements-build.lock requirements-runtime.lock ./
# http-ece alone is published as source only: it is built here, with tools that are pinned as well.
RUN /opt/ordertrail/bin/pip install --require-hashes --only-binary :all: -r requirements-build.lock \
 && /opt/ordertrail/bin/pip install --require-hashes --only-binary :all: --no-binary http-ece --no-build-isolation \
    -r requirements-runtime.lock
COPY requirements.lock pyproject.toml README.md ./
# The build's own tools, hash-pinned too, live in an environment that stays behind.
RUN python -m venv /opt/build \
 && /opt/build/bin/pip install --require-hashes --only-binary :all: -r requirements-build.lock \
 && /opt/build/bin/pip install --require-hashes --only-binary :all: --no-binary http-ece --no-build-isolation \
    -r requirements.lock
COPY worker.py ./
COPY ordertrail ordertrail
COPY workflows workflows
COPY activities activities
COPY api api
COPY templates templates
RUN /opt/build/bin/python -m build --wheel --no-isolation --outdir /dist \
 && /opt/ordertrail/bin/pip install --no-deps --no-index /dist/*.whl

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/ordertrail ordertrail
COPY --from=build /opt/ordertrail /opt/ordertrail
ENV PATH=/opt/ordertrail/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    ORDERTRAIL_DATA_DIR=/var/lib/ordertrail
USER 10001:10001
WORKDIR /var/lib/ordertrail
EXPOSE 8000
ENTRYPOINT ["ordertrail"]
CMD ["api", "--host", "0.0.0.0"]
