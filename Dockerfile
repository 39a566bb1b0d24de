# The application as it runs from its checkout: the steps are those of `make install`.
FROM python:3.13-slim

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PATH=/app/.venv/bin:$PATH
WORKDIR /app

COPY requirements.lock pyproject.toml README.md ./
COPY .ci/venv .ci/venv
COPY services services
COPY workers workers
COPY feeds feeds
RUN .ci/venv && rm -rf /root/.cache

COPY templates templates

RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin goniec \
    && install --directory --owner goniec --group goniec --mode 0700 /data
USER goniec
ENV GONIEC_DATA_DIR=/data GONIEC_LOG=json
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["goniec"]
CMD ["up"]
