# docs/deployment.md says how to use it. What it takes: Python's own slim image, the locked requirements, the source.
ARG PYTHON=3.11-slim-trixie

FROM python:${PYTHON} AS build
# `off` leaves out pillow-heif, whose wheel carries the x265 encoder under the GPL.
ARG HEIC=on
# `off` leaves out the weights of the networks: put a volume with them at /srv/models.
ARG MODELS=on
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN apt-get update && apt-get install --yes --no-install-recommends gcc libc6-dev && rm -rf /var/lib/apt/lists/*
RUN python -m venv /srv/imageplane
ENV PATH=/srv/imageplane/bin:${PATH}
WORKDIR /build
# Before the source, so that a change of it fetches nothing again.
COPY requirements/image.txt requirements/
RUN pip install --require-hashes --requirement requirements/image.txt
COPY pyproject.toml hatch_build.py README.md LICENSE ./
COPY src src
RUN pip install --no-deps --no-build-isolation .
RUN mkdir /srv/models && if [ "${MODELS}" != off ]; then IMAGEPLANE_MODELS_DIR=/srv/models imageplane models pull; fi
RUN if [ "${HEIC}" = off ]; then pip uninstall --yes pillow-heif; fi
# What only builds, and the tests of libraries: a tenth of the size.
RUN pip uninstall --yes hatchling editables trove-classifiers setuptools pip \
    && find /srv/imageplane/lib -type d -name tests -prune -exec rm -rf {} +

FROM python:${PYTHON}
# For the text of SVG drawings.
RUN apt-get update && apt-get install --yes --no-install-recommends fonts-dejavu-core && rm -rf /var/lib/apt/lists/*
RUN groupadd --gid 10001 imageplane \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin imageplane \
    && install --directory --owner=10001 --group=10001 --mode=0700 /var/lib/imageplane
COPY --from=build /srv/models /srv/models
COPY --from=build /srv/imageplane /srv/imageplane
# Nothing is said here of the allocator: engines and server set their own (docs/deployment.md).
ENV PATH=/srv/imageplane/bin:${PATH} \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    IMAGEPLANE_DATA_DIR=/var/lib/imageplane \
    IMAGEPLANE_MODELS_DIR=/srv/models
USER 10001:10001
WORKDIR /var/lib/imageplane
VOLUME /var/lib/imageplane
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --start-interval=1s CMD ["imageplane", "health"]
ENTRYPOINT ["imageplane"]
CMD ["serve", "--host", "0.0.0.0"]
