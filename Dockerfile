FROM node:24.21.0-slim
