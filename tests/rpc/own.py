"""A program that dumps itself by pycriu: `run.py own.itself IMAGES`, says what it is told."""

from rpc import *


def itself(name, service=''):
    client = Criu()
    if service:
        client.use_sk(service)
    else:
        client.use_binary(CRIU)
    client.opts.images_dir_fd = directory(name)
    client.opts.log_level = 4
    client.opts.log_file = 'dump.log'
    answer = client.dump()
    with open('said', 'w') as file:
        file.write('restored' if answer.restored else 'dumped')
