# nested.py for puma: BACKEND=port puma -C nested_puma.rb -b tcp://127.0.0.1:PORT. Sixteen threads; what is kept alive is read by a thread
# of its own (the reactor). Each call has a connection of its own.
require 'net/http'

threads 16, 16
quiet

def call(path)
  Net::HTTP.start('127.0.0.1', Integer(ENV.fetch('BACKEND'))) { |http| http.get(path).body }
end

app do |env|
  number = env['PATH_INFO'].split('/').last
  mode = env['QUERY_STRING']
  sleep(Integer(number) % 7 / 1000.0) if mode == 'before'
  if mode == 'two'
    call("/out/#{number}/1")
    body = call("/out/#{number}/2")
  else
    body = call("/out/#{number}")
  end
  sleep(Integer(number) % 7 / 1000.0) if mode == 'after'
  [200, { 'Content-Length' => body.bytesize.to_s }, [body]]
end
