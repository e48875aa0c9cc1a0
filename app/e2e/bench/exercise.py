"""The exercise's design as its text suggests it: Flask and boto3, one process, Flask's own server."""

import os
import sys

import boto3
from flask import Flask, jsonify

app = Flask(__name__)
bucket = os.environ["STORAGE_BUCKET"]
s3 = boto3.client("s3", region_name=os.environ["AWS_REGION"], endpoint_url=os.environ["AWS_ENDPOINT_URL"])


@app.get("/")
def ping():
    return jsonify(status=200, message="Successfully connected to module02 upload/download API")


@app.get("/list_files")
def list_files():
    names = []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        names += [item["Key"] for item in page.get("Contents", [])]
    return jsonify(status=200, message=f"Successfully listed files on s3 bucket '{bucket}'", content=names)


@app.get("/download/<path:filename>")
def download(filename):
    url = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": filename}, ExpiresIn=600)
    return jsonify(status=200, message=f"Successfully downloaded file '{filename}' on s3 bucket '{bucket}'", content=url)


app.run(host="127.0.0.1", port=int(sys.argv[1]))
