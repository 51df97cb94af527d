#!/bin/sh
# Makes the cases of script.yaml again: script.sh [NAME…]. Ruby, PHP and their libraries come from Debian: ruby-sidekiq
# ruby-rails ruby-redis ruby-pg ruby-faraday puma php-cli php-pgsql php-mysql php-redis php-monolog php-symfony-console
# php-guzzlehttp-guzzle php-laravel-framework. JRuby is the Maven artefact org.jruby:jruby-complete:9.4.9.0.
set -eu
here=$(dirname "$0")
CORPUS_VENV=${CORPUS_VENV:-${TMPDIR:-/tmp}/corpus-script-venv}
CORPUS_NODE_MODULES=${CORPUS_NODE_MODULES:-${TMPDIR:-/tmp}/corpus-script-npm/node_modules}
JRUBY=${JRUBY:-$HOME/.m2/repository/org/jruby/jruby-complete/9.4.9.0/jruby-complete-9.4.9.0.jar}
export CORPUS_VENV CORPUS_NODE_MODULES JRUBY
if [ ! -x "$CORPUS_VENV/bin/python" ]; then
    python3.12 -m venv "$CORPUS_VENV"
    "$CORPUS_VENV/bin/pip" install --quiet aiohttp asyncpg better_exceptions boto3 celery daphne django elasticsearch fastapi \
        granian grpcio gunicorn kafka-python loguru pika psycopg pymongo pymysql python-json-logger redis rich sentry-sdk stackprinter structlog trio uvicorn
fi
if [ ! -d "$CORPUS_NODE_MODULES" ]; then
    npm install --silent --prefix "$(dirname "$CORPUS_NODE_MODULES")" @aws-sdk/client-s3 @grpc/grpc-js @nestjs/common@10 \
        @nestjs/core@10 @nestjs/platform-express@10 @types/node amqplib axios bunyan envalid esbuild express fastify ioredis \
        kafkajs log4js mongodb mysql2 node@22 nodemon pg pino pino-pretty reflect-metadata rxjs sequelize signale ts-node tsx \
        typeorm typescript@5 webpack webpack-cli winston zod
fi
exec python3 "$here/make.py" "$here/script.yaml" "$@"
