# One process: Slack, web and worker. Data and configuration live in /data, which should be a volume.
FROM python:3.12-slim

COPY . /src
RUN pip install --no-cache-dir /src && rm -rf /src \
    && useradd --system --uid 1000 --create-home passerelle \
    && install -d -o passerelle /data

USER passerelle
WORKDIR /data
VOLUME /data
EXPOSE 8000

# GET /readyz also tells whether the database and the worker do their part.
HEALTHCHECK CMD ["python", "-c", "import os, urllib.request as web; web.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8000)}/healthz', timeout=3)"]
CMD ["passerelle", "run"]
